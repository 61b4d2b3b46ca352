/** Runs pieces of work one after the other, in the order in which they were given. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(work)
    // Whoever asked for the work gets its error; the next piece runs in any case.
    this.#last = result.then(undefined, () => undefined)
    return result
  }
}
