/**
 * Resources that are closed together, the last one first: what `AsyncDisposableStack` is, which Node 22 does not have.
 * One that cannot be closed does not keep the others open.
 */
export class ResourceStack implements AsyncDisposable {
  #cleanUps: (() => unknown)[] = []

  /** Closes it in its turn. @returns the resource. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.defer(() => (Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose]()))
    return resource
  }

  /** Does this in its turn. */
  defer(cleanUp: () => unknown): void {
    this.#cleanUps.push(cleanUp)
  }

  /** Hands all of it over: this one has nothing left to close. */
  move(): ResourceStack {
    const moved = new ResourceStack()
    ;[moved.#cleanUps, this.#cleanUps] = [this.#cleanUps, []]
    return moved
  }

  /** @throws what closing threw, the first of several. */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: unknown[] = []
    for (let next = this.#cleanUps.pop(); next; next = this.#cleanUps.pop()) {
      try {
        await next()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
