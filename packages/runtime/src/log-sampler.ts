/** What to do with one more line of its kind. */
export interface Sample {
  readonly write: boolean
  /** Lines of this kind that were left out since the last one that was written. */
  readonly leftOut: number
}

interface Seen {
  windowStart: number
  lines: number
  leftOut: number
}

/**
 * Lets the first lines of each kind through and then one in each window, with the number left out (hazard O4): a
 * failure that repeats for every event must not fill the disk, nor hide the other failures.
 */
export class LogSampler {
  readonly #windowMs: number
  readonly #linesPerWindow: number
  readonly #maxKinds: number
  readonly #kinds = new Map<string, Seen>()

  constructor({ windowMs = 10_000, linesPerWindow = 20, maxKinds = 1_000 } = {}) {
    this.#windowMs = windowMs
    this.#linesPerWindow = linesPerWindow
    this.#maxKinds = maxKinds
  }

  take(kind: string, now: number): Sample {
    const seen = this.#kinds.get(kind)
    if (!seen || now - seen.windowStart >= this.#windowMs) {
      // Put in again, so that the first key of the map is the one that was quiet longest.
      this.#kinds.delete(kind)
      this.#kinds.set(kind, { windowStart: now, lines: 1, leftOut: 0 })
      this.#forgetOldest()
      return { write: true, leftOut: seen?.leftOut ?? 0 }
    }
    seen.lines += 1
    if (seen.lines <= this.#linesPerWindow) return { write: true, leftOut: 0 }
    seen.leftOut += 1
    return { write: false, leftOut: 0 }
  }

  #forgetOldest(): void {
    if (this.#kinds.size <= this.#maxKinds) return
    const oldest = this.#kinds.keys().next()
    if (!oldest.done) this.#kinds.delete(oldest.value)
  }
}
