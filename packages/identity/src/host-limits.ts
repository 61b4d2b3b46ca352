import { Backoff, TokenBucket, type BackoffOptions } from '@millrace/stream-protocol'
import { TemporaryIdentityError } from './errors.ts'

export interface HostLimitsOptions {
  /** Questions to one host that may begin in a second. @default 20 */
  perSecond?: number
  /** Questions to one host at a time. @default 5 */
  concurrency?: number
  /** How long a host that fails is left alone, longer each time. @default { minMs: 1_000, maxMs: 300_000 } */
  backoff?: BackoffOptions
  /** Milliseconds that only rise. @default performance.now */
  now?: () => number
}

export interface AskOptions {
  /** Leaves a quarter of what the host may be asked to those who are not. @default false */
  patient?: boolean
  /** A host of our own choice, such as the directory: it is left alone when it asks for that or is away, no more. */
  trusted?: boolean
}

interface Lane {
  bucket: TokenBucket
  atWork: number
  /** Average time of an answer: a slow host takes fewer than its rate. */
  meanMs: number
  heldUntil: number
  backoff: Backoff
  /** When the last of those that were sent away may come back, patient or not. */
  lastTurn: { patient: number; other: number }
}

/** Hosts that are remembered before idle ones are looked for. */
const MANY = 1_000

/**
 * Bounds what each host is asked: how much in a second, how much at a time, and not at all for a while after it failed
 * (hazard D4). Nobody waits in here, so a slow host holds nobody's place but those of the few that ask it (hazards D11,
 * S16): who would have to wait is sent away with the time of his turn.
 */
export class HostLimits {
  readonly #perSecond: number
  readonly #concurrency: number
  readonly #backoff: BackoffOptions
  readonly #now: () => number
  readonly #lanes = new Map<string, Lane>()
  #tidyAt = MANY

  constructor({
    perSecond = 20,
    concurrency = 5,
    backoff = { minMs: 1_000, maxMs: 300_000 },
    now = () => performance.now(),
  }: HostLimitsOptions = {}) {
    this.#perSecond = perSecond
    this.#concurrency = concurrency
    this.#backoff = backoff
    this.#now = now
  }

  /**
   * Runs `question`, which asks `host` about `subject`. A {@link TemporaryIdentityError} of it is a failure of the host.
   * @throws {TemporaryIdentityError} with `wasAsked: false` and the time to come back, instead of asking.
   */
  async ask<T>(host: string, subject: string, question: () => Promise<T>, options: AskOptions = {}): Promise<T> {
    const lane = this.#lane(host)
    const started = this.#now()
    if (!this.#isFree(lane, started, options)) {
      const retryAfterMs = this.#turn(lane, started, options) - started
      throw new TemporaryIdentityError(subject, host, { retryAfterMs, wasAsked: false })
    }
    lane.bucket.take()
    lane.atWork++
    try {
      const answer = await question()
      lane.heldUntil = 0
      lane.backoff.reset()
      return answer
    } catch (error) {
      if (error instanceof TemporaryIdentityError && error.wasAsked) this.#failed(lane, error, options)
      throw error
    } finally {
      lane.atWork--
      lane.meanMs += (this.#now() - started - lane.meanMs) / 8
    }
  }

  #isFree(lane: Lane, now: number, { patient, trusted }: AskOptions): boolean {
    if (now < lane.heldUntil) return false
    if (trusted) return true
    // One that has failed is tried by one question, not by all that have waited for it.
    if (lane.atWork >= (lane.backoff.attempt > 0 ? 1 : this.#concurrency)) return false
    return lane.bucket.available >= (patient ? 1 + Math.floor((lane.bucket.capacity - 1) / 4) : 1)
  }

  /** Each turn is later than the one given out before, by as long as the host takes: they do not all come back at once. */
  #turn(lane: Lane, now: number, { patient, trusted }: AskOptions): number {
    const eachMs = trusted ? 1 : Math.max(1_000 / this.#perSecond, lane.meanMs / this.#concurrency)
    const kind = patient ? 'patient' : 'other'
    return (lane.lastTurn[kind] = Math.max(lane.lastTurn[kind], lane.heldUntil, now) + eachMs)
  }

  #failed(lane: Lane, { status, retryAfterMs = 0 }: TemporaryIdentityError, { trusted }: AskOptions): void {
    // What a directory says of one account, a status other than these, says nothing about the next.
    if (trusted && status !== undefined && status !== 429 && status !== 503) return
    const now = this.#now()
    // Questions that were asked side by side fail together: that is one failure.
    const ownMs = now < lane.heldUntil ? 0 : lane.backoff.nextMs()
    lane.heldUntil = Math.max(lane.heldUntil, now + Math.max(ownMs, Math.min(retryAfterMs, MAX_HOLD_MS)))
  }

  #lane(host: string): Lane {
    let lane = this.#lanes.get(host)
    if (!lane) {
      if (this.#lanes.size >= this.#tidyAt) this.#forgetIdle()
      lane = {
        bucket: new TokenBucket({ perSecond: this.#perSecond, now: this.#now }),
        atWork: 0,
        meanMs: 0,
        heldUntil: 0,
        backoff: new Backoff(this.#backoff),
        lastTurn: { patient: 0, other: 0 },
      }
      this.#lanes.set(host, lane)
    }
    return lane
  }

  /** Strangers name as many hosts as they like. One whose limits would be the same if it were new needs no memory. */
  #forgetIdle(): void {
    const now = this.#now()
    for (const [host, { bucket, atWork, heldUntil, lastTurn }] of this.#lanes) {
      const isIdle = atWork === 0 && heldUntil <= now && Math.max(lastTurn.patient, lastTurn.other) <= now
      if (isIdle && bucket.available >= Math.floor(bucket.capacity)) this.#lanes.delete(host)
    }
    this.#tidyAt = Math.max(MANY, this.#lanes.size * 2)
  }
}

/** However long a host asks to be left alone. */
const MAX_HOLD_MS = 3_600_000
