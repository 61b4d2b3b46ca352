/**
 * Memory that several downloads share. Each takes more as it grows and gives all back at its end. Above the limit they
 * wait, all but the one that began first: it may always grow, so that somebody finishes (hazards B6, S15).
 */
export class ByteBudget {
  readonly #limit: number
  /** In the order of their beginning. */
  readonly #open = new Set<ByteLease>()
  #taken = 0
  #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get taken(): number {
    return this.#taken
  }

  open(): ByteLease {
    let own = 0
    const lease: ByteLease = {
      grow: async (bytes, signal) => {
        while (this.#taken + bytes > this.#limit && this.#open.values().next().value !== lease)
          await this.#change(signal)
        own += bytes
        this.#taken += bytes
      },
      [Symbol.dispose]: () => {
        this.#taken -= own
        own = 0
        this.#open.delete(lease)
        for (const wake of this.#waiting.splice(0)) wake()
      },
    }
    this.#open.add(lease)
    return lease
  }

  async #change(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    this.#waiting.push(resolve)
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}

export interface ByteLease extends Disposable {
  /** Waits until there is room. Rejects with the reason of the signal. */
  grow(bytes: number, signal: AbortSignal): Promise<void>
}
