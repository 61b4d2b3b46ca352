/** Of turns that are wanted by all, 0 gets as many as are given to 1, 2 and 3 together, and 3 still gets some. */
const weights = [8, 4, 2, 1]
/** How much later than it was told to somebody may come back, and find a turn left for him. */
const GRACE_MS = 1_000

interface Class {
  /** What it has had, by its weight. */
  had: number
  expectedUntil: number
}

/**
 * Whose turn it is when there are fewer than are wanted: by weight, so that what somebody waits for comes soon, and what
 * may wait longer is not starved. Those who had to go are expected back, and turns are left for them for a moment.
 */
export class FairTurns {
  readonly #classes: Class[] = weights.map(() => ({ had: 0, expectedUntil: 0 }))
  #now = 0

  /** Whether one of this class may have the turn: it counts as had then. */
  take(priority: number, now: number): boolean {
    const index = indexOf(priority)
    const own = this.#classes[index]!
    // Who was away has no claim to what others had meanwhile.
    if (own.expectedUntil < now) own.had = Math.max(own.had, this.#now)
    const isBefore = ({ had, expectedUntil }: Class, at: number): boolean =>
      expectedUntil >= now && (had < own.had || (had === own.had && at < index))
    if (this.#classes.some((other, at) => other !== own && isBefore(other, at))) return false
    this.#now = own.had
    own.had += 1 / weights[index]!
    own.expectedUntil = 0
    return true
  }

  /** One of this class had to go, and was told to come back at a time. */
  sentAway(priority: number, backAt: number): void {
    const own = this.#classes[indexOf(priority)]!
    if (own.expectedUntil === 0) own.had = Math.max(own.had, this.#now)
    own.expectedUntil = Math.max(own.expectedUntil, backAt + GRACE_MS)
  }
}

function indexOf(priority: number): number {
  return Math.min(weights.length - 1, Math.max(0, priority))
}
