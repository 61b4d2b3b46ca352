import {
  BlockedHostError,
  isTemporaryStatus,
  NetworkError,
  readXrpcError,
  ResponseLimitError,
  retryAfterMs,
  type GuardedFetch,
} from '@millrace/identity'
import type { RepoTurns } from './hosts/repo-turns.ts'
import { InvalidRepoError, RepoUnavailableError, TemporaryFetchError, type UnavailableStatus } from './errors.ts'

/** Limits of one fetch. A host that is slower than these is tried again; a repo that is larger is refused. */
export interface FetchRepoLimits {
  /** Size of a repo, decompressed. @default 512 MiB */
  maxBytes?: number
  /** Until a host begins to answer, in milliseconds. @default 20_000 */
  headersMs?: number
  /** Between two parts of a repo, in milliseconds. @default 30_000 */
  idleMs?: number
  /** For one whole repo, in milliseconds. @default 15 min */
  timeoutMs?: number
  /** Bytes a second that a host has to send over the whole repo, once it has sent for so long. @default 1_000 */
  minBytesPerSecond?: number
  /** How long it may send more slowly, in milliseconds. @default 60_000 */
  slowMs?: number
}

export interface FetchRepoOptions {
  /** With scheme. */
  host: string
  did: string
  /** Made by `createGuardedFetch`: hosts are named by strangers. */
  fetch: GuardedFetch
  limits?: FetchRepoLimits
  signal?: AbortSignal
  /** Takes the repo as it arrives. What it throws ends the fetch. */
  into: RepoReceiver
  /** Asks hosts in their turn. @default at once */
  turns?: RepoTurns
  /** Awaited before each part is taken, with its size: for callers that share out memory. */
  beforePart?: (bytes: number) => Promise<void>
}

/** Takes the parts of a repo as they arrive. */
export interface RepoReceiver {
  /** Told how large the repo is before its first part, where the host says it. It may be a lie. */
  expect(bytes: number): void
  /** @returns a promise for the time when it takes more, where that is not at once. */
  write(part: Uint8Array): Promise<void> | undefined
}

/** Where a repo came from. */
export interface FetchedRepo {
  /** Origin of the host that served it: with redirects, the last one. */
  host: string
}

const defaultLimits: Required<FetchRepoLimits> = {
  maxBytes: 512 * 1024 * 1024,
  headersMs: 20_000,
  idleMs: 30_000,
  timeoutMs: 15 * 60_000,
  minBytesPerSecond: 1_000,
  slowMs: 60_000,
}

const unavailable: Readonly<Record<string, UnavailableStatus>> = {
  RepoNotFound: 'deleted',
  RepoDeactivated: 'deactivated',
  RepoSuspended: 'suspended',
  RepoTakendown: 'takendown',
}

/**
 * Asks a host for a whole repo (`com.atproto.sync.getRepo`) and sorts what comes back (hazard B5). The repo itself, a CAR
 * file if the host is honest, goes to `into`.
 * @throws {HostBusyError} with `turns`: it is not the turn of this host, or of one that it sends on to.
 * @throws {RepoUnavailableError} the host says that the account is not to be seen.
 * @throws {TemporaryFetchError} 408, 425, 429, 5xx but 501, timeouts, and connections that break.
 * @throws {InvalidRepoError} every other refusal, and a repo beyond the limit.
 */
export async function fetchRepo(options: FetchRepoOptions): Promise<FetchedRepo> {
  const { host, did, fetch, signal, turns } = options
  const limits = { ...defaultLimits, ...options.limits }
  if (!URL.canParse(host)) throw new InvalidRepoError('refused', did, `${host.slice(0, 300)} is not a URL`)
  const url = new URL('/xrpc/com.atproto.sync.getRepo', host)
  url.searchParams.set('did', did)
  let origin = url.origin
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/vnd.ipld.car' },
      limits,
      ...(signal && { signal }),
      ...(turns && {
        beforeRequest: (origin) => turns.take(origin),
        onAnswer: (origin, answer) => turns.answered(origin, answer),
      }),
    })
    if (response.url !== '') origin = new URL(response.url).origin
    if (response.status !== 200) throw await refusal(response, did, origin)
    const expected = response.headers.has('content-encoding') ? NaN : Number(response.headers.get('content-length'))
    await readAll(response, { ...options, limits, origin, expected })
    await turns?.done()
    return { host: origin }
  } catch (error) {
    if (signal?.aborted) throw error
    if (error instanceof BlockedHostError)
      throw new InvalidRepoError('blocked-host', did, error.message, { host: origin, cause: error })
    if (error instanceof ResponseLimitError) {
      const reason = error.limit === 'bytes' ? 'too-large' : 'refused'
      throw new InvalidRepoError(reason, did, error.message, { host: origin, cause: error })
    }
    if (error instanceof NetworkError) {
      await turns?.broke(error.origin)
      throw new TemporaryFetchError(did, error.origin, error.code, { cause: error })
    }
    throw error
  }
}

async function refusal(response: Response, did: string, host: string): Promise<Error> {
  const { status, headers } = response
  const name = await readXrpcError(response)
  if (isTemporaryStatus(status))
    return new TemporaryFetchError(did, host, `status ${status}`, { retryAfterMs: retryAfterMs(headers) })
  const account = status >= 400 && Object.hasOwn(unavailable, name) ? unavailable[name] : undefined
  if (account) return new RepoUnavailableError(did, account, host)
  return new InvalidRepoError('refused', did, `${host} answers with status ${status} ${name.slice(0, 100)}`, { host })
}

interface ReadAllOptions extends FetchRepoOptions {
  limits: Required<FetchRepoLimits>
  origin: string
  /** What `Content-Length` says; NaN when it says nothing. */
  expected: number
}

async function readAll(response: Response, options: ReadAllOptions): Promise<void> {
  const { did, origin, expected, into, beforePart } = options
  const { maxBytes, minBytesPerSecond, slowMs } = options.limits
  const tooLarge = (): never => {
    throw new InvalidRepoError('too-large', did, `it has more than ${maxBytes} bytes`, { host: origin })
  }
  if (expected > maxBytes) {
    await response.body?.cancel()
    tooLarge()
  }
  if (expected > 0) into.expect(expected)
  let size = 0
  // Without the time that it has waited for us.
  let startedAt = performance.now()
  for await (const part of response.body ?? []) {
    size += part.byteLength
    if (size > maxBytes) tooLarge()
    const sentMs = performance.now() - startedAt
    if (sentMs > slowMs && size * 1_000 < minBytesPerSecond * sentMs) throw new NetworkError('SLOW', new URL(origin))
    await beforePart?.(part.byteLength)
    await into.write(part)
    startedAt = performance.now() - sentMs
  }
}
