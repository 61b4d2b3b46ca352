import { isObject } from '@millrace/stream-protocol'
import type { DidResolver } from './did-resolver.ts'
import { BlockedHostError, NetworkError, ResponseLimitError, TemporaryIdentityError } from './errors.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { HostLimits } from './host-limits.ts'
import { retryAfterMs } from './retry-after.ts'
import { isTemporaryStatus, readXrpcError } from './xrpc-error.ts'

/** What an account's own PDS says of it. */
export interface PdsStatusAnswer {
  /**
   * - `active`, `inactive`: the PDS says so
   * - `unknown`: it does not know the account or does not answer such questions, or the account has no PDS
   * - `tombstoned`: the DID is gone for good (hazard D8)
   */
  answer: 'active' | 'inactive' | 'unknown' | 'tombstoned'
  /** Why it is inactive: any text, or null. */
  status?: string | null
}

export interface PdsStatusOptions {
  resolver: Pick<DidResolver, 'resolve'>
  /** Made by `createGuardedFetch`: a PDS is named by a stranger. */
  fetch: GuardedFetch
  /** What one PDS is asked at most: a slow one holds up its own accounts alone (hazard D11). @default limits of its own */
  limits?: HostLimits
  /** For one answer, in milliseconds. @default 10_000 */
  timeoutMs?: number
}

const MAX_ANSWER_BYTES = 64 * 1024

/** How older hosts say why an account is not to be seen. */
const statusOf: Readonly<Record<string, string>> = {
  RepoDeactivated: 'deactivated',
  RepoSuspended: 'suspended',
  RepoTakendown: 'takendown',
}

/**
 * Asks the PDS that an account has now, by its document of this moment, how the account stands
 * (`com.atproto.sync.getRepoStatus`).
 *
 * As with documents there are answers, and there is no answer now: that is a {@link TemporaryIdentityError}, and must
 * change nothing (hazards D1, D10). A host that is refused by the fetch, or whose answer makes no sense, is one that
 * does not answer such questions.
 */
export class PdsStatus {
  readonly #options: Required<PdsStatusOptions>

  constructor({ limits = new HostLimits(), timeoutMs = 10_000, ...rest }: PdsStatusOptions) {
    this.#options = { ...rest, limits, timeoutMs }
  }

  /** @throws {TemporaryIdentityError} */
  async ask(did: string, signal?: AbortSignal): Promise<PdsStatusAnswer> {
    const { resolver, limits } = this.#options
    const resolution = await resolver.resolve(did, { fresh: true })
    if (resolution.kind === 'absent') return { answer: resolution.tombstoned ? 'tombstoned' : 'unknown' }
    const { pds } = resolution.identity
    if (pds === undefined) return { answer: 'unknown' }
    return limits.ask(pds, did, () => this.#askPds(pds, did, signal))
  }

  async #askPds(pds: string, did: string, signal: AbortSignal | undefined): Promise<PdsStatusAnswer> {
    const { fetch, timeoutMs } = this.#options
    const url = new URL('/xrpc/com.atproto.sync.getRepoStatus', pds)
    url.searchParams.set('did', did)
    try {
      const limits = { timeoutMs, maxBytes: MAX_ANSWER_BYTES }
      const response = await fetch(url, { limits, headers: { accept: 'application/json' }, ...(signal && { signal }) })
      if (response.status === 200) return readStatus(await response.text(), did)
      const { status, headers } = response
      const error = await readXrpcError(response)
      if (isTemporaryStatus(status))
        throw new TemporaryIdentityError(did, url.origin, { status, retryAfterMs: retryAfterMs(headers) })
      return Object.hasOwn(statusOf, error) ? { answer: 'inactive', status: statusOf[error]! } : { answer: 'unknown' }
    } catch (error) {
      if (error instanceof BlockedHostError || error instanceof ResponseLimitError) return { answer: 'unknown' }
      if (error instanceof NetworkError) throw new TemporaryIdentityError(did, error.origin, { cause: error })
      throw error
    }
  }
}

/** What is not about this account, or does not say whether it is active, is no answer. */
function readStatus(text: string, did: string): PdsStatusAnswer {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return { answer: 'unknown' }
  }
  if (!isObject(body) || body['did'] !== did || typeof body['active'] !== 'boolean') return { answer: 'unknown' }
  if (body['active']) return { answer: 'active' }
  return { answer: 'inactive', status: typeof body['status'] === 'string' ? body['status'] : null }
}
