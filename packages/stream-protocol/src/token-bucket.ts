export interface TokenBucketOptions {
  /** How many may be taken in a second. `Infinity` sets no limit. */
  perSecond: number
  /** How many may be taken at once after a pause. @default perSecond, and at least 1 */
  capacity?: number
  /** Milliseconds that only rise. @default performance.now */
  now?: () => number
}

/** Says how much may begin now, for a rate that holds over time. */
export class TokenBucket {
  readonly capacity: number
  readonly #perMs: number
  readonly #now: () => number
  #tokens: number
  #filledAt: number

  constructor({ perSecond, capacity = perSecond, now = () => performance.now() }: TokenBucketOptions) {
    this.capacity = Math.max(1, capacity)
    this.#perMs = perSecond / 1_000
    this.#now = now
    this.#tokens = this.capacity
    this.#filledAt = now()
  }

  /** Whole tokens that are there now. */
  get available(): number {
    this.#fill()
    return Math.floor(this.#tokens)
  }

  /** Takes tokens, whether they are there or not: what was taken too early is waited for later. */
  take(count = 1): void {
    this.#fill()
    this.#tokens -= count
  }

  /** Milliseconds until one can be taken. */
  get waitMs(): number {
    this.#fill()
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs
  }

  #fill(): void {
    const now = this.#now()
    // Without a limit there is no time that a token takes, and 0 * Infinity is no number.
    const filled = this.#perMs === Number.POSITIVE_INFINITY ? this.capacity : (now - this.#filledAt) * this.#perMs
    this.#tokens = Math.min(this.capacity, this.#tokens + filled)
    this.#filledAt = now
  }
}
