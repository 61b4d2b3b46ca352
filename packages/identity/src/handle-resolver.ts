import { Resolver } from 'node:dns/promises'
import { isValidHandle, isValidTld } from '@atproto/syntax'
import { isDid, isObject } from '@millrace/stream-protocol'
import { domainOf } from './domain.ts'
import { BlockedHostError, NetworkError, ResponseLimitError, TemporaryIdentityError } from './errors.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { HostLimits } from './host-limits.ts'
import type { Identity } from './identity.ts'
import { retryAfterMs } from './retry-after.ts'

export interface HandleResolverOptions {
  /** Made by `createGuardedFetch`: handles are hosts chosen by strangers. */
  fetch: GuardedFetch
  /** A host that answers `com.atproto.identity.resolveHandle`, asked instead of DNS and the handle's own host. */
  resolverUrl?: string
  /** TXT records of a name, each as its parts; rejects as `dns.promises.resolveTxt` does. @default the system's DNS */
  resolveTxt?: (name: string) => Promise<string[][]>
  /** For one answer, in milliseconds. @default 5_000 */
  timeoutMs?: number
  /** What the hosts of handles are asked at most, shared with whoever else asks hosts. @default limits of its own */
  limits?: HostLimits
}

export interface ResolveHandleOptions {
  /** See `HostLimits`. @default false */
  patient?: boolean
}

const MAX_WELL_KNOWN_BYTES = 2 * 1024

/**
 * Finds the DID that a handle points to: a TXT record at `_atproto.<handle>`, else `/.well-known/atproto-did` of the
 * handle's host. Null is definitive: no such handle, or two records that contradict each other.
 *
 * Handles of one domain share its limits, as one server answers for all of them.
 */
export class HandleResolver {
  readonly #options: HandleResolverOptions & { timeoutMs: number; limits: HostLimits }
  readonly #resolveTxt: (name: string) => Promise<string[][]>

  constructor({ timeoutMs = 5_000, limits = new HostLimits(), ...rest }: HandleResolverOptions) {
    this.#options = { ...rest, timeoutMs, limits }
    const dns = new Resolver({ timeout: timeoutMs, tries: 2 })
    this.#resolveTxt = rest.resolveTxt ?? ((name) => dns.resolveTxt(name))
  }

  /** @throws {TemporaryIdentityError} when it cannot be known now: keep what is stored (hazard D1). */
  async resolve(handle: string, { patient = false }: ResolveHandleOptions = {}): Promise<string | null> {
    const name = handle.toLowerCase()
    if (!isValidHandle(name)) return null
    const { resolverUrl, limits } = this.#options
    if (resolverUrl === undefined && !isValidTld(name)) return null
    const ask = (): Promise<string | null> =>
      resolverUrl === undefined ? this.#askNetwork(name) : this.#askResolver(name, resolverUrl)
    return await limits.ask(domainOf(name), name, ask, { patient })
  }

  async #askNetwork(handle: string): Promise<string | null> {
    const fromDns = await this.#askDns(handle)
    return fromDns === undefined ? await this.#askHost(handle) : fromDns
  }

  /** Undefined when DNS has nothing to say, so that the host is asked. */
  async #askDns(handle: string): Promise<string | null | undefined> {
    let records: string[][]
    try {
      records = await this.#resolveTxt(`_atproto.${handle}`)
    } catch (error) {
      const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
      // The last one is for names that are too long with the part before them: there can be no record.
      if (code === 'ENOTFOUND' || code === 'ENODATA' || code === 'EBADNAME') return undefined
      // DNS goes first. While it is silent, the host's answer could be one that DNS contradicts a minute later.
      throw new TemporaryIdentityError(handle, 'dns', { cause: error })
    }
    const dids = records.map((parts) => parts.join('')).filter((text) => text.startsWith('did='))
    if (dids.length === 0) return undefined
    const did = dids[0]!.slice('did='.length).trim()
    return dids.length === 1 && isDid(did) ? did : null
  }

  async #askHost(handle: string): Promise<string | null> {
    const text = await this.#get(handle, `https://${handle}/.well-known/atproto-did`)
    const did = text?.split('\n', 1)[0]?.trim()
    return isDid(did) ? did : null
  }

  async #askResolver(handle: string, resolverUrl: string): Promise<string | null> {
    const url = new URL('/xrpc/com.atproto.identity.resolveHandle', resolverUrl)
    url.searchParams.set('handle', handle)
    const text = await this.#options.limits.ask(url.origin, handle, () => this.#get(handle, url.href), {
      trusted: true,
    })
    if (text === null) return null
    const body = parseJson(text)
    if (isObject(body) && isDid(body['did'])) return body['did']
    throw new TemporaryIdentityError(handle, url.origin, { cause: new Error('not an answer to resolveHandle') })
  }

  async #get(handle: string, url: string): Promise<string | null> {
    const { fetch, timeoutMs } = this.#options
    const { origin } = new URL(url)
    try {
      const response = await fetch(url, { limits: { timeoutMs, maxBytes: MAX_WELL_KNOWN_BYTES } })
      if (response.status === 200) return await response.text()
      await response.body?.cancel()
      if (response.status < 500 && response.status !== 429) return null
      throw new TemporaryIdentityError(handle, origin, {
        status: response.status,
        retryAfterMs: retryAfterMs(response.headers),
      })
    } catch (error) {
      if (error instanceof TemporaryIdentityError) throw error
      if (error instanceof BlockedHostError || error instanceof ResponseLimitError) return null
      // The name of the handle itself does not exist. (A redirect, or the resolver, may be gone for other reasons.)
      if (error instanceof NetworkError && error.code === 'ENOTFOUND' && error.origin === `https://${handle}`)
        return null
      throw new TemporaryIdentityError(handle, error instanceof NetworkError ? error.origin : origin, { cause: error })
    }
  }
}

/**
 * The handle of an identity if both directions agree, else null (hazard D2).
 * @throws {TemporaryIdentityError}
 */
export async function verifiedHandle(
  identity: Pick<Identity, 'did' | 'handle'>,
  handles: Pick<HandleResolver, 'resolve'>,
  options: ResolveHandleOptions = {},
): Promise<string | null> {
  if (identity.handle === undefined) return null
  const did = await handles.resolve(identity.handle, options)
  return did === identity.did ? identity.handle.toLowerCase() : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
