import { hastened } from '@millrace/failpoints'
import { isTemporaryStatus, retryAfterMs } from '@millrace/identity'
import { MemoryState, type BackoffOptions, type SharedState } from '@millrace/stream-protocol'
import { FairTurns } from './fair-turns.ts'
import { HostPlaces, type HostPlace } from './host-places.ts'
import {
  afterFailure,
  afterRefusal,
  afterSuccess,
  afterTooMany,
  takeTurns,
  unknownHost,
  waitOf,
  withHint,
  type HostRules,
  type HostState,
} from './host-state.ts'
import { rateLimitHint } from './rate-limit-hint.ts'

export interface HostPacerOptions {
  /** Where the limits of hosts are kept, for all processes together. @default in memory, for this one */
  states?: SharedState<HostState>
  /** Requests a second that an unknown host is asked. @default 40 */
  startPerSecond?: number
  /** However much it takes. @default 10_000 */
  maxPerSecond?: number
  /** How long a host that fails is left alone. @default { minMs: 1_000, maxMs: 300_000 } */
  backoff?: BackoffOptions
  /** Told when the limits of hosts cannot be read: those that this process knows are kept to until they can. */
  onError?: (error: unknown) => void
  /** Epoch milliseconds. @default Date.now */
  now?: () => number
  /** @default Math.random */
  random?: () => number
}

/** The host is not to be asked now. Nobody waits in here: come back later. */
export class HostBusyError extends Error {
  override readonly name = 'HostBusyError'
  /** Its origin. */
  readonly host: string
  readonly waitMs: number
  /** For who asks about accounts: nobody was asked, so that nothing has failed. */
  readonly wasAsked = false

  constructor(host: string, waitMs: number) {
    super(`${host} is not to be asked for ${Math.ceil(waitMs)} ms`)
    this.host = host
    this.waitMs = waitMs
  }

  get retryAfterMs(): number {
    return this.waitMs
  }
}

/** What tells how much a host takes: status and headers of an answer. */
export interface HostAnswer {
  status: number
  headers: Headers
}

/** A request that was made. */
export interface HostRequest {
  /** Epoch milliseconds. */
  askedAt: number
  /** That it had, among the requests that its host has at a time. */
  place?: HostPlace | undefined
}

/** What is known here of a host. */
interface Known {
  state: HostState
  /** How much later the clock of the states is than ours. */
  skewMs: number
  /** Begins of turns that were taken and not used, by our clock. */
  turns: number[]
  fair: FairTurns
  places: HostPlaces
  /** When a hint of it was passed on. */
  hintedAt: number
  usedAt: number
}

/** Turns of shared states are taken for so long at once: a few times a second, however fast the host is. */
const AHEAD_MS = 250
/** A turn that was not used in this time is none any more: what a host counts is what it is asked. */
const STALE_MS = 1_000
/** Hosts that are remembered before idle ones are looked for. */
const MANY = 2_000
const IDLE_MS = 600_000

/**
 * Says when a host may be asked: at a rate that is learned from what it refuses and from what it says of its limit, and
 * not at all for a while after it failed; then one request finds out whether it is back (hazard B5). What is learned is
 * shared by all who have the same `states`: together they ask no more than one would. How much it has at a time is
 * learned by each for itself.
 */
export class HostPacer {
  readonly #states: SharedState<HostState>
  readonly #own: MemoryState<HostState>
  readonly #rules: HostRules
  readonly #aheadMs: number
  readonly #onError: (error: unknown) => void
  readonly #now: () => number
  readonly #random: () => number
  readonly #hosts = new Map<string, Known>()
  #tidyAt = MANY

  constructor({
    states,
    startPerSecond = 40,
    maxPerSecond = 10_000,
    backoff: { minMs = 1_000, maxMs = hastened(300_000) } = {},
    onError = () => undefined,
    now = Date.now,
    random = Math.random,
  }: HostPacerOptions = {}) {
    this.#own = new MemoryState({ now })
    this.#states = states ?? this.#own
    // Nobody else takes turns of a state of our own: there is no need to take them ahead.
    this.#aheadMs = states ? AHEAD_MS : 0
    this.#rules = { startPerSecond, maxPerSecond, minHoldMs: minMs, maxHoldMs: maxMs }
    this.#onError = onError
    this.#now = now
    this.#random = random
  }

  /**
   * Takes a turn at a host.
   * @param priority 0 for what somebody waits for, more for what may wait longer.
   * @throws {HostBusyError} instead of waiting.
   */
  async take(host: string, priority = 0): Promise<void> {
    const known = this.#known(host)
    await this.#refill(host, known)
    const now = this.#now()
    const [next] = known.turns
    // What finds out whether a host is back is left for nobody: if he did not come, nobody could ask for long.
    if (next !== undefined && next <= now && (known.fair.take(priority, now) || known.state.failures > 0)) {
      known.turns.shift()
      return
    }
    // A turn that is there is left for somebody else: the next one may be ours.
    const waitMs = this.waitMs(host) || Math.ceil(1_000 / known.state.perSecond)
    known.fair.sentAway(priority, now + waitMs)
    throw new HostBusyError(host, waitMs)
  }

  /**
   * Takes a place among the requests that the host has at a time. It is given back once the request has ended.
   * @throws {HostBusyError} instead of waiting.
   */
  place(host: string): HostPlace {
    const { places } = this.#known(host)
    const now = this.#now()
    const waitMs = places.waitMs(now)
    if (waitMs > 0) throw new HostBusyError(host, waitMs)
    return places.take(now)
  }

  /** Gives a turn back that was taken, and not used. */
  async giveBack(host: string): Promise<void> {
    const { state, turns } = this.#known(host)
    if (state.failures === 0) turns.unshift(this.#now())
    // It was the one that would have found out whether the host is back.
    else await this.#change(host, (shared) => [shared.failures === 0 ? shared : { ...shared, probeUntil: 0 }, null])
  }

  /** Milliseconds until it is worth asking for a turn, as far as this process knows. */
  waitMs(host: string): number {
    const known = this.#hosts.get(host)
    if (!known) return 0
    const now = this.#now()
    const [next] = known.turns
    return Math.ceil(next === undefined ? waitOf(known.state, now + known.skewMs) : Math.max(0, next - now))
  }

  /** The host has answered: it may say that it was asked too much, that it is out of order, or what its limit is. */
  async answered(host: string, { askedAt, place }: HostRequest, { status, headers }: HostAnswer): Promise<void> {
    const known = this.#known(host)
    const now = this.#now()
    const hint = rateLimitHint(headers, now)
    const isFailure = isTemporaryStatus(status)
    if (!isFailure) {
      if (!hint || (hint.remaining > 0 && now < known.hintedAt + STALE_MS)) return
      known.hintedAt = now
    }
    const isTooMany = status === 429 && place?.refused() === true
    const answer = { hint, retryAfterMs: retryAfterMs(headers, now), random: this.#random() }
    await this.#change(host, (state, at) => {
      const asked = askedAt + at - now
      if (!isFailure) return [withHint(state, at, hint), null]
      const after = isTooMany ? afterTooMany : status === 429 ? afterRefusal : afterFailure
      return [after(state, at, { ...answer, askedAt: asked }, this.#rules), null]
    })
  }

  /** It has done well all that it was asked. */
  async succeeded(host: string, { askedAt, place }: HostRequest): Promise<void> {
    place?.done()
    if (this.#known(host).state.failures === 0) return
    const now = this.#now()
    await this.#change(host, (state, at) => [afterSuccess(state, at, { askedAt: askedAt + at - now }), null])
  }

  /** It did not answer, or not to the end. */
  async failed(host: string, { askedAt }: HostRequest): Promise<void> {
    const now = this.#now()
    const random = this.#random()
    await this.#change(host, (state, at) => [
      afterFailure(state, at, { askedAt: askedAt + at - now, random }, this.#rules),
      null,
    ])
  }

  async #refill(host: string, known: Known): Promise<void> {
    const now = this.#now()
    while (known.turns[0] !== undefined && known.turns[0] < now - STALE_MS) known.turns.shift()
    const { failures, heldUntil, probeUntil } = known.state
    // Another process may have found out by now that the host is back.
    const isProbed = failures > 0 && heldUntil <= now + known.skewMs && probeUntil > now + known.skewMs
    if (known.turns.length > 0 || (this.waitMs(host) > 0 && !isProbed)) return
    const wanted = Math.max(1, Math.round((known.state.perSecond * this.#aheadMs) / 1_000))
    const begins = await this.#change(host, (state, at) => takeTurns(state, at, wanted, this.#rules))
    known.turns.push(...begins.map((begin) => begin - known.skewMs))
  }

  async #change<R>(host: string, change: (state: HostState, now: number) => [HostState, R]): Promise<R> {
    const known = this.#known(host)
    const apply = (state: HostState | undefined, now: number): [HostState, R] => {
      const changed = change(state ?? unknownHost(this.#rules), now)
      known.state = changed[0]
      // What was taken ahead of a failure is not asked any more.
      if (known.state.failures > 0) known.turns.length = 0
      known.skewMs = now - this.#now()
      return changed
    }
    try {
      return await this.#states.change(host, apply)
    } catch (error) {
      this.#onError(error)
      // Better by what we know ourselves than not at all, or without a limit.
      return await this.#own.change(host, (_, now) => apply(known.state, now))
    }
  }

  #known(host: string): Known {
    let known = this.#hosts.get(host)
    if (!known) {
      if (this.#hosts.size >= this.#tidyAt) this.#forgetIdle()
      const state = unknownHost(this.#rules)
      known = {
        state,
        skewMs: 0,
        turns: [],
        fair: new FairTurns(),
        places: new HostPlaces(),
        hintedAt: 0,
        usedAt: 0,
      }
      this.#hosts.set(host, known)
    }
    known.usedAt = this.#now()
    return known
  }

  /** Strangers name as many hosts as they like. */
  #forgetIdle(): void {
    const now = this.#now()
    for (const [host, { usedAt, state, skewMs, places }] of this.#hosts) {
      if (usedAt > now - IDLE_MS || places.taken > 0 || waitOf(state, now + skewMs) > 0) continue
      this.#hosts.delete(host)
      this.#own.delete(host)
    }
    this.#tidyAt = Math.max(MANY, this.#hosts.size * 2)
  }
}
