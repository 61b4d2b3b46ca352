import { isDid } from '@millrace/stream-protocol'
import { BlockedHostError, NetworkError, ResponseLimitError, TemporaryIdentityError } from './errors.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { readDidDocument, type Identity } from './identity.ts'
import { retryAfterMs } from './retry-after.ts'

export type DidResolution =
  | { kind: 'found'; identity: Identity }
  /** Tombstoned means that the account is gone for good (hazard D8). */
  | { kind: 'absent'; tombstoned: boolean }

export interface DidResolverOptions {
  /** Made by `createGuardedFetch`: the hosts of did:web are chosen by strangers (hazard D11). */
  fetch: GuardedFetch
  /** @default 'https://plc.directory' */
  plcUrl?: string
  /** Lets did:web and service endpoints use http and ports, for simulated networks. @default false */
  allowPrivateHosts?: boolean
  cacheMs?: {
    /** Answers this young are given again without asking. @default 6 h */
    fresh?: number
    /** Answers this young are given when asking fails for now. @default 7 d */
    stale?: number
    /** How long an absent DID stays absent, more or less. @default 5 min */
    absent?: number
  }
  /** Answers kept in memory; the longest unused go first. @default 20_000 */
  maxEntries?: number
  /** For one answer, in milliseconds. @default 10_000 */
  timeoutMs?: number
  /** @default Date.now */
  now?: () => number
}

interface CacheEntry {
  resolution: DidResolution
  freshUntil: number
  usableUntil: number
}

const MAX_DOCUMENT_BYTES = 64 * 1024
const HOUR_MS = 3_600_000

/**
 * Looks up did:plc at a PLC directory and did:web at its host.
 *
 * An answer is a value or a definitive absence; everything else is a {@link TemporaryIdentityError}, which must change
 * nothing (hazard D1). Answers are cached in memory. Simultaneous questions about one DID are asked once.
 */
export class DidResolver {
  readonly #options: Required<Omit<DidResolverOptions, 'cacheMs'>>
  readonly #cacheMs: { fresh: number; stale: number; absent: number }
  readonly #cache = new Map<string, CacheEntry>()
  readonly #inFlight = new Map<string, Promise<DidResolution>>()

  constructor({
    plcUrl = 'https://plc.directory',
    allowPrivateHosts = false,
    cacheMs: { fresh = 6 * HOUR_MS, stale = 7 * 24 * HOUR_MS, absent = HOUR_MS / 12 } = {},
    maxEntries = 20_000,
    timeoutMs = 10_000,
    now = Date.now,
    fetch,
  }: DidResolverOptions) {
    this.#options = { fetch, plcUrl: plcUrl.replace(/\/+$/, ''), allowPrivateHosts, maxEntries, timeoutMs, now }
    this.#cacheMs = { fresh, stale, absent }
  }

  /**
   * @param options.fresh asks the network whatever the cache holds: after a signature failed, or a name changed.
   * @throws {TemporaryIdentityError}
   */
  async resolve(did: string, { fresh = false }: { fresh?: boolean } = {}): Promise<DidResolution> {
    const cached = this.#read(did)
    if (!fresh && cached && this.#options.now() < cached.freshUntil) return cached.resolution
    try {
      return await this.#ask(did)
    } catch (error) {
      if (fresh || !cached || !(error instanceof TemporaryIdentityError)) throw error
      // Older than we like, but better than nothing. What fails with it asks for a fresh one.
      return cached.resolution
    }
  }

  /** What is known without asking, up to the age of `cacheMs.stale` (hazard D7). */
  peek(did: string): Identity | undefined {
    const resolution = this.#read(did)?.resolution
    return resolution?.kind === 'found' ? resolution.identity : undefined
  }

  /** The next `resolve` asks again. For `#identity` events: what is known stays usable until then. */
  expire(did: string): void {
    const entry = this.#cache.get(did)
    if (entry) entry.freshUntil = 0
  }

  #read(did: string): CacheEntry | undefined {
    const entry = this.#cache.get(did)
    if (!entry) return undefined
    this.#cache.delete(did)
    if (this.#options.now() >= entry.usableUntil) return undefined
    // A map keeps the order of insertion: the first one is the longest unused.
    this.#cache.set(did, entry)
    return entry
  }

  #write(did: string, resolution: DidResolution): void {
    const now = this.#options.now()
    // A random part, so that what was asked together is not asked together for ever (hazard D4).
    const absentMs = this.#cacheMs.absent * (0.5 + Math.random())
    const [freshMs, usableMs] =
      resolution.kind === 'found' ? [this.#cacheMs.fresh, this.#cacheMs.stale] : [absentMs, absentMs]
    this.#cache.delete(did)
    this.#cache.set(did, { resolution, freshUntil: now + freshMs, usableUntil: now + usableMs })
    const oldest = this.#cache.keys().next().value
    if (this.#cache.size > this.#options.maxEntries && oldest !== undefined) this.#cache.delete(oldest)
  }

  async #ask(did: string): Promise<DidResolution> {
    const running = this.#inFlight.get(did)
    if (running) return running
    const asked = this.#fetchDocument(did)
    this.#inFlight.set(did, asked)
    try {
      const resolution = await asked
      this.#write(did, resolution)
      return resolution
    } finally {
      this.#inFlight.delete(did)
    }
  }

  async #fetchDocument(did: string): Promise<DidResolution> {
    const absent: DidResolution = { kind: 'absent', tombstoned: false }
    const url = this.#documentUrl(did)
    if (!url) return absent
    const plc = did.startsWith('did:plc:')
    const { fetch, timeoutMs, allowPrivateHosts } = this.#options
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/did+ld+json, application/json' },
        limits: { timeoutMs, maxBytes: MAX_DOCUMENT_BYTES },
      })
      if (response.status !== 200) {
        await response.body?.cancel()
        if (plc && response.status === 410) return { kind: 'absent', tombstoned: true }
        if (response.status === 404 || response.status === 410) return absent
        const wait = retryAfterMs(response.headers)
        throw new TemporaryIdentityError(did, url.origin, { status: response.status, retryAfterMs: wait })
      }
      const identity = readDidDocument(parseJson(await response.text()), did, { allowPrivateHosts })
      if (identity) return { kind: 'found', identity }
      // The owner of a did:web may serve what he likes. A directory that answers with something else is broken.
      if (plc) throw new TemporaryIdentityError(did, url.origin, { cause: new Error('not its document') })
      return absent
    } catch (error) {
      if (error instanceof TemporaryIdentityError) throw error
      if (error instanceof BlockedHostError || error instanceof ResponseLimitError) return absent
      const host = error instanceof NetworkError ? error.origin : url.origin
      throw new TemporaryIdentityError(did, host, { cause: error })
    }
  }

  #documentUrl(did: string): URL | null {
    if (!isDid(did)) return null
    const { plcUrl, allowPrivateHosts } = this.#options
    if (/^did:plc:[a-z2-7]{24}$/.test(did)) return new URL(`${plcUrl}/${did}`)
    const web = /^did:web:([a-zA-Z0-9._-]+(?:%3[aA]\d{1,5})?)$/.exec(did)
    if (!web) return null
    const [host = '', port] = web[1]!.split(/%3[aA]/)
    // A port is for development only (specification of did:web in AT Protocol).
    if (port !== undefined && !allowPrivateHosts) return null
    const scheme = allowPrivateHosts && port !== undefined ? 'http' : 'https'
    const text = `${scheme}://${host}${port === undefined ? '' : `:${port}`}/.well-known/did.json`
    return URL.canParse(text) ? new URL(text) : null
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
