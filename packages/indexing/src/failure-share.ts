/** Entries that are looked back upon. */
const WINDOW = 2_000
/** Fewer entries say nothing. */
const LEAST_ENTRIES = 100
/** So do fewer failures: they may be poison that came together. */
const LEAST_FAILURES = 20

/**
 * How many of a stream's last entries have failed for no known reason. A few do for what is in them; when more than one
 * in a hundred does, it is we who fail (hazard G9).
 */
export class FailureShare {
  #entries = 0
  /** Which of the entries have failed, by their number. */
  #failures: number[] = []

  addApplied(entries: number): void {
    this.#entries += entries
  }

  addFailed(): void {
    this.#entries++
    this.#failures.push(this.#entries)
  }

  /** Whether what fails now is more likely our fault than that of the entry. */
  isOurs(): boolean {
    this.#failures = this.#failures.filter((number) => number > this.#entries - WINDOW)
    const entries = Math.min(this.#entries, WINDOW)
    return entries >= LEAST_ENTRIES && this.#failures.length >= LEAST_FAILURES && this.#failures.length * 100 > entries
  }
}
