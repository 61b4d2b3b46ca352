import { isDid, sleep } from '@millrace/stream-protocol'
import { domainOf } from './domain.ts'
import { BlockedHostError, NetworkError, ResponseLimitError, TemporaryIdentityError } from './errors.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { HostLimits } from './host-limits.ts'
import { readDidDocument, type Identity } from './identity.ts'
import { retryAfterMs } from './retry-after.ts'

/** What a directory or a host says of a DID. Where neither can be asked, that is an error and no answer. */
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
  /** Least time between two questions about one DID, in milliseconds: who comes earlier waits (hazard I20). @default 1_000 */
  minIntervalMs?: number
  /** What hosts of did:web are asked at most, shared with whoever else asks hosts. @default limits of its own */
  limits?: HostLimits
  /**
   * A word that changes whenever an account's identity may have changed, and is the same in all processes: an answer
   * that was asked for under another word is not fresh (hazard D7). Null for accounts that nobody has heard of.
   */
  version?: (did: string) => Promise<string | null>
  /** @default Date.now */
  now?: () => number
}

export interface ResolveDidOptions {
  /** Asks the network whatever the cache holds: after a signature failed, or a name changed. @default false */
  fresh?: boolean
  /** See `HostLimits`. @default false */
  patient?: boolean
}

interface CacheEntry {
  /** Absent while only a failure is known. */
  resolution?: DidResolution
  version?: string | null | undefined
  freshUntil: number
  usableUntil: number
  askedAt: number
}

interface Question {
  answer: Promise<DidResolution>
  /** The host was asked, and since then something has changed: its answer is of before. */
  isOutdated: boolean
  wasSent: boolean
}

const MAX_DOCUMENT_BYTES = 64 * 1024
const HOUR_MS = 3_600_000
const absent: DidResolution = { kind: 'absent', tombstoned: false }

/**
 * Looks up did:plc at a PLC directory and did:web at its host.
 *
 * An answer is a value or a definitive absence; everything else is a {@link TemporaryIdentityError}, which must change
 * nothing (hazard D1). Answers are cached in memory. Simultaneous questions about one DID are asked once, and later ones
 * not faster than `minIntervalMs`, so that no flood of events or of forged signatures becomes one of questions.
 */
export class DidResolver {
  readonly #options: Required<Omit<DidResolverOptions, 'cacheMs' | 'version'>>
  readonly #version: DidResolverOptions['version']
  readonly #cacheMs: { fresh: number; stale: number; absent: number }
  readonly #cache = new Map<string, CacheEntry>()
  readonly #inFlight = new Map<string, Question>()

  constructor({
    plcUrl = 'https://plc.directory',
    allowPrivateHosts = false,
    cacheMs: { fresh = 6 * HOUR_MS, stale = 7 * 24 * HOUR_MS, absent = HOUR_MS / 12 } = {},
    maxEntries = 20_000,
    timeoutMs = 10_000,
    minIntervalMs = 1_000,
    limits = new HostLimits(),
    version,
    now = Date.now,
    ...rest
  }: DidResolverOptions) {
    const bounds = { maxEntries, timeoutMs, minIntervalMs, limits }
    this.#options = { ...rest, ...bounds, plcUrl: plcUrl.replace(/\/+$/, ''), allowPrivateHosts, now }
    this.#version = version
    this.#cacheMs = { fresh, stale, absent }
  }

  /** @throws {TemporaryIdentityError} */
  async resolve(did: string, options: ResolveDidOptions = {}): Promise<DidResolution> {
    const cached = this.#read(did)
    if (!options.fresh && cached?.resolution && (await this.#isFresh(did, cached))) return cached.resolution
    try {
      return await this.#ask(did, options)
    } catch (error) {
      if (options.fresh || !cached?.resolution || !(error instanceof TemporaryIdentityError)) throw error
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
    const question = this.#inFlight.get(did)
    if (question?.wasSent) question.isOutdated = true
  }

  async #isFresh(did: string, { freshUntil, version }: CacheEntry): Promise<boolean> {
    if (this.#options.now() >= freshUntil) return false
    if (!this.#version) return true
    const current = await this.#currentVersion(did)
    return current !== undefined && current === version
  }

  /** Undefined when it cannot be told: no answer is fresh then. */
  async #currentVersion(did: string): Promise<string | null | undefined> {
    try {
      return await this.#version?.(did)
    } catch {
      return undefined
    }
  }

  #read(did: string): CacheEntry | undefined {
    const entry = this.#cache.get(did)
    if (!entry) return undefined
    // A map keeps the order of insertion: the first one is the longest unused.
    this.#cache.delete(did)
    this.#cache.set(did, entry)
    if (this.#options.now() >= entry.usableUntil) delete entry.resolution
    return entry
  }

  #write(did: string, entry: CacheEntry): void {
    this.#cache.delete(did)
    this.#cache.set(did, entry)
    const oldest = this.#cache.keys().next().value
    if (this.#cache.size > this.#options.maxEntries && oldest !== undefined) this.#cache.delete(oldest)
  }

  #ask(did: string, options: ResolveDidOptions): Promise<DidResolution> {
    const before = this.#inFlight.get(did)
    if (before && !before.isOutdated) return before.answer
    const question: Question = { answer: Promise.resolve(absent), isOutdated: false, wasSent: false }
    question.answer = this.#askInTurn(did, question, options, before).finally(() => {
      if (this.#inFlight.get(did) === question) this.#inFlight.delete(did)
    })
    this.#inFlight.set(did, question)
    return question.answer
  }

  async #askInTurn(
    did: string,
    question: Question,
    { patient = false }: ResolveDidOptions,
    before: Question | undefined,
  ): Promise<DidResolution> {
    await before?.answer.catch(() => undefined)
    const { now, minIntervalMs } = this.#options
    const waitMs = (this.#cache.get(did)?.askedAt ?? Number.NEGATIVE_INFINITY) + minIntervalMs - now()
    if (waitMs > 0) await sleep(waitMs)
    // Read first: what changes while we ask makes the answer one of before.
    const version = await this.#currentVersion(did)
    const askedAt = now()
    question.wasSent = true
    try {
      const resolution = await this.#fetchDocument(did, patient)
      const { freshMs, usableMs } = this.#lifetime(resolution)
      const freshUntil = question.isOutdated ? 0 : now() + freshMs
      this.#write(did, { resolution, version, freshUntil, usableUntil: now() + usableMs, askedAt })
      return resolution
    } catch (error) {
      const known = this.#cache.get(did) ?? { freshUntil: 0, usableUntil: 0 }
      if (!(error instanceof TemporaryIdentityError) || error.wasAsked) this.#write(did, { ...known, askedAt })
      throw error
    }
  }

  #lifetime({ kind }: DidResolution): { freshMs: number; usableMs: number } {
    const { fresh, stale, absent } = this.#cacheMs
    if (kind === 'found') return { freshMs: fresh, usableMs: stale }
    // A random part, so that what was asked together is not asked together for ever (hazard D4).
    const absentMs = absent * (0.5 + Math.random())
    return { freshMs: absentMs, usableMs: absentMs }
  }

  async #fetchDocument(did: string, patient: boolean): Promise<DidResolution> {
    const url = this.#documentUrl(did)
    if (!url) return absent
    const trusted = did.startsWith('did:plc:')
    const host = trusted ? url.origin : domainOf(url.hostname)
    return await this.#options.limits.ask(host, did, () => this.#get(did, url), { patient, trusted })
  }

  async #get(did: string, url: URL): Promise<DidResolution> {
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
      if (plc) throw new TemporaryIdentityError(did, url.origin, { status: 200, cause: new Error('not its document') })
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
