import type { DeadLetterFilter, DeadLetterState, KeptLetter } from '@millrace/database'
import { MethodError, numberCursor } from './method.ts'

/** A letter as its lexicon has it. */
export function letterOf({ firstAt, lastAt, did, uri, host, ...rest }: KeptLetter) {
  return {
    id: rest.id,
    stream: rest.stream,
    entryId: rest.entryId,
    reason: rest.reason,
    fingerprint: rest.fingerprint,
    error: rest.error,
    state: rest.state,
    attempts: rest.attempts,
    retries: rest.retries,
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
    ...(did !== null && { did }),
    ...(uri !== null && { uri }),
    ...(host !== null && { host }),
  }
}

export interface LetterTraits {
  ids?: readonly number[] | undefined
  stream?: string | undefined
  reasonCode?: string | undefined
  fingerprint?: string | undefined
  did?: string | undefined
  /** All that nobody has decided about. */
  all?: boolean | undefined
}

/** All letters are meant only by who says so. @throws {MethodError} */
export function filterOf({ ids, stream, reasonCode, fingerprint, did, all = false }: LetterTraits): DeadLetterFilter {
  const filter = { ids, stream, reason: reasonCode, fingerprint, did }
  if (!all && Object.values(filter).every((trait) => trait === undefined))
    throw new MethodError('InvalidRequest', 'say which letters: by ids, stream, reasonCode, fingerprint or did, or all')
  // What is named by its number is meant whatever it is.
  return ids ? filter : { states: ['kept'], ...filter }
}

/** What a list is of: without a state, what nobody has decided about. @throws {MethodError} */
export function listFilterOf({
  state = 'kept',
  stream,
  reasonCode: reason,
  fingerprint,
  did,
  cursor,
}: Omit<LetterTraits, 'ids' | 'all'> & { state?: string | undefined; cursor?: string | undefined }): DeadLetterFilter {
  return { states: [state as DeadLetterState], stream, reason, fingerprint, did, before: numberCursor(cursor) }
}

/** For the audit log. */
export function describeTraits(traits: LetterTraits): string {
  const named = Object.entries(traits).filter(([, value]) => value !== undefined)
  return named.map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`).join('; ')
}
