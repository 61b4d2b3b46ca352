import { isGuarded } from '@millrace/failpoints'
import { InvalidEventError } from '@millrace/stream-protocol'

/**
 * What to do next about an error (hazard G9):
 *
 * - `transient`: the service is away or busy. Retry with backoff, for ever.
 * - `ours`: a bad deploy, a missing migration, a wrong password. Stop, alarm, retry slowly; dead-letter nothing.
 * - `content`: this message can never be stored. Dead-letter it at once.
 * - `unknown`: retry a few times, then dead-letter.
 */
export type ErrorClass = 'transient' | 'ours' | 'content' | 'unknown'

const transientErrnos = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
])

/** Whole SQLSTATEs come before classes of them (their first two characters). */
const sqlStates: ReadonlyMap<string, ErrorClass> = new Map([
  ...each('transient', '08', '53', '40001', '40003', '55P03', '57014', '57P01', '57P02', '57P03', '57P05'),
  ...each(isGuarded('deadlock-retry') ? 'transient' : 'unknown', '40P01'),
  ...each('transient', '25P03', '25006'),
  ...each('ours', '28', '3D', '3F', '42', '58', 'XX'),
  ...each('content', '22P02', '22P05', '22021', '22003', '22001', '54000', '54001', '23502', '23514'),
])

/** The database has no memory, or no place in its table of locks, for so much at once: less of it may pass. */
export function isTooMuchAtOnce(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === '53200'
}

/** When several errors stand for one: what loses least comes first. */
const precedence: readonly ErrorClass[] = ['transient', 'ours', 'content']

/**
 * Looks at the type, the SQLSTATE or the errno code of an error, then at those of its cause and, for an
 * `AggregateError`, of its parts. Never at the text of a message.
 */
export function classifyError(error: unknown): ErrorClass {
  return classify(error, new Set())
}

function classify(error: unknown, seen: Set<object>): ErrorClass {
  if (typeof error !== 'object' || error === null || seen.has(error)) return 'unknown'
  seen.add(error)
  if (error instanceof InvalidEventError) return 'content'

  const own = 'code' in error && typeof error.code === 'string' ? classifyCode(error.code) : 'unknown'
  if (own !== 'unknown') return own

  if ('errors' in error && Array.isArray(error.errors)) {
    const classes = error.errors.map((part) => classify(part, seen))
    const found = precedence.find((known) => classes.includes(known))
    if (found) return found
  }
  return 'cause' in error ? classify(error.cause, seen) : 'unknown'
}

function classifyCode(code: string): ErrorClass {
  if (transientErrnos.has(code)) return 'transient'
  // Errno codes may be as long as a SQLSTATE, but none begins with the classes listed here.
  if (code.length !== 5) return 'unknown'
  return sqlStates.get(code) ?? sqlStates.get(code.slice(0, 2)) ?? 'unknown'
}

function each(errorClass: ErrorClass, ...codes: string[]): [string, ErrorClass][] {
  return codes.map((code) => [code, errorClass])
}
