/**
 * Counts how often something failed at one place of the sequence, one time after the other. What fails there again and
 * again is the host's fault and not the connection's (hazard I11).
 */
export class RepeatedFailure {
  #at = ''
  #count = 0

  /** @returns how often it has failed there, with this time. */
  count(kind: 'sequence' | 'frame', seq: number | undefined): number {
    this.#count = this.times(kind, seq) + 1
    this.#at = placeOf(kind, seq)
    return this.#count
  }

  /** How often it has failed there; 0 when it was elsewhere that it failed last. */
  times(kind: 'sequence' | 'frame', seq: number | undefined): number {
    return this.#at === placeOf(kind, seq) ? this.#count : 0
  }
}

function placeOf(kind: string, seq: number | undefined): string {
  return `${kind} ${seq}`
}
