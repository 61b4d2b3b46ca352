export interface HostPlacesOptions {
  /** Requests at a time that an unknown host has. @default 8 */
  start?: number
  /** However many it takes. @default 1_000 */
  most?: number
}

/** One of the requests that a host has at a time. Disposing of it gives it back, once. */
export interface HostPlace extends Disposable {
  /** The request was done, to its end. */
  done(): void
  /** It was refused. @returns whether there were too many at a time, and not too many in a second. */
  refused(): boolean
}

/** Requests that go well with all places taken, before one more is tried that was refused once. */
const TRY_AFTER = 250
/** After so many such trials that were not refused the host takes more than it did: it is found out faster. */
const STEADY = 4
/** Who finds no place comes back after as long as the oldest request has lasted, but not sooner or later than this. */
const WAIT_MS = { least: 500, most: 60_000 }

/**
 * How many requests a host has at a time: more while it does them to their end, and no more than it has refused. One that
 * begins much and ends nothing stays where it began. For this process alone: what others have at the same host is part of
 * what it refuses.
 */
export class HostPlaces {
  readonly #most: number
  #limit: number
  /** As many at a time as it has taken. */
  #proven = 0
  /** Whether it has refused one more than the limit. */
  #isKnown = false
  #good = 0
  #trials = 0
  /** When each that is there began, the oldest first. */
  readonly #since = new Map<HostPlace, number>()

  constructor({ start = 8, most = 1_000 }: HostPlacesOptions = {}) {
    this.#limit = start
    this.#most = most
  }

  get taken(): number {
    return this.#since.size
  }

  /** Milliseconds until it is worth coming for a place; 0 when there is one. */
  waitMs(now: number): number {
    const [oldest] = this.#since.values()
    if (oldest === undefined || this.taken < this.#limit) return 0
    return Math.min(WAIT_MS.most, Math.max(WAIT_MS.least, now - oldest))
  }

  take(now: number): HostPlace {
    const among = this.taken + 1
    const place: HostPlace = {
      done: () => this.#done(among),
      refused: () => this.#refused(among),
      [Symbol.dispose]: () => void this.#since.delete(place),
    }
    this.#since.set(place, now)
    return place
  }

  #done(among: number): void {
    this.#proven = Math.max(this.#proven, among)
    // Only who had all places shows that they may be too few.
    if (among < this.#limit || this.#limit >= this.#most) return
    if (this.#isKnown && ++this.#good < TRY_AFTER / 2 ** Math.max(0, this.#trials - STEADY)) return
    this.#good = 0
    this.#trials++
    this.#limit++
  }

  #refused(among: number): boolean {
    const isTooMany = among > Math.max(1, this.#proven)
    if (isTooMany) {
      this.#limit = Math.min(this.#limit, among - 1)
      this.#isKnown = true
      this.#good = 0
      this.#trials = 0
    }
    // It took as many before: unless it does so again, they are too many the next time.
    else this.#proven = Math.min(this.#proven, among - 1)
    return isTooMany
  }
}
