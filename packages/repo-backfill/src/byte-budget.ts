export interface ByteBudgetOptions {
  /** For what repos have beyond their first bytes; one of them may exceed it. @default 64 MiB */
  largeBytes?: number
  /** For the first bytes of all repos; one of them may exceed it. @default 64 MiB */
  smallBytes?: number
  /** How many these are: what most repos have in all. @default 1 MiB */
  firstBytes?: number
}

/**
 * Memory that several downloads share. Each takes more as it grows and gives all back at its end. When there is none left
 * they wait, all but the first of those that need more: it may always grow, so that somebody finishes (hazards B6, S15).
 *
 * The first bytes of each are counted apart from the rest: small repos go on while large ones have taken all of theirs.
 */
export class ByteBudget {
  readonly #firstBytes: number
  readonly #small: Share
  readonly #large: Share

  constructor({
    largeBytes = 64 * 1024 ** 2,
    smallBytes = 64 * 1024 ** 2,
    firstBytes = 1024 ** 2,
  }: ByteBudgetOptions = {}) {
    this.#firstBytes = firstBytes
    this.#small = new Share(smallBytes)
    this.#large = new Share(largeBytes)
  }

  get taken(): number {
    return this.#small.taken + this.#large.taken
  }

  /**
   * @returns a place for one repo: it waits in `grow` until there is room for so many bytes more, and gives all back
   * when disposed of.
   */
  open(): ByteLease {
    const small = new Part(this.#small)
    const large = new Part(this.#large)
    return {
      grow: async (bytes, signal) => {
        const first = Math.min(bytes, this.#firstBytes - small.bytes)
        await small.grow(first, signal)
        await large.grow(bytes - first, signal)
      },
      [Symbol.dispose]: () => {
        small.giveBack()
        large.giveBack()
      },
    }
  }
}

export interface ByteLease extends Disposable {
  /** Waits until there is room. Rejects with the reason of the signal. */
  grow(bytes: number, signal: AbortSignal): Promise<void>
}

/** Some memory, and who may have more than there is. */
class Share {
  readonly limit: number
  taken = 0
  favoured: Part | undefined
  readonly #waiting: (() => void)[] = []

  constructor(limit: number) {
    this.limit = limit
  }

  async change(signal: AbortSignal): Promise<void> {
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

  changed(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** What one download has of a share. */
class Part {
  readonly #share: Share
  bytes = 0

  constructor(share: Share) {
    this.#share = share
  }

  async grow(bytes: number, signal: AbortSignal): Promise<void> {
    if (bytes === 0) return
    const share = this.#share
    while (share.taken + bytes > share.limit && share.favoured !== this) {
      if (share.favoured) await share.change(signal)
      else share.favoured = this
    }
    this.bytes += bytes
    share.taken += bytes
  }

  giveBack(): void {
    const share = this.#share
    share.taken -= this.bytes
    this.bytes = 0
    if (share.favoured === this) share.favoured = undefined
    share.changed()
  }
}
