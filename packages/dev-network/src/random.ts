import { createHash } from 'node:crypto'

/** The same numbers for the same seed (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number | string) {
    this.#state = createHash('sha256').update(String(seed)).digest().readUInt32BE()
  }

  /** From 0 to below 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** An integer from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end)
  }

  /** True with a probability, from 0 to 1. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of some; undefined when there are none. */
  pick<T>(items: readonly [T, ...T[]]): T
  pick<T>(items: readonly T[]): T | undefined
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }

  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    return items.map(() => left.splice(this.below(left.length), 1)[0]!)
  }

  /** Mostly the first ones: a few accounts and posts get most of the attention. */
  pickPopular<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(items.length * this.fraction() ** 2)]
  }
}

/** 32 bytes that depend on nothing but these words. */
export function seededBytes(...words: (string | number)[]): Uint8Array {
  return sha256(Buffer.from(words.join('\u0000')))
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}
