import type { SharedState } from './ports.ts'

/** State that is shared within one process, and gone with it. */
export class MemoryState<T> implements SharedState<T> {
  readonly #values = new Map<string, T>()
  readonly #now: () => number

  /** @param options.now Epoch milliseconds. @default Date.now */
  constructor({ now = Date.now }: { now?: () => number } = {}) {
    this.#now = now
  }

  change<R>(name: string, change: (value: T | undefined, now: number) => [value: T, result: R]): Promise<R> {
    const [value, result] = change(this.#values.get(name), this.#now())
    this.#values.set(name, value)
    return Promise.resolve(result)
  }

  /** Forgets a value; the next change begins with none. */
  delete(name: string): void {
    this.#values.delete(name)
  }
}
