import { setTimeout as wait } from 'node:timers/promises'

/** Waits, or returns early once the signal is aborted. Never rejects: loops look at the signal themselves. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, signal ? { signal } : {})
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

export interface BackoffOptions {
  /** First delay in milliseconds. @default 500 */
  minMs?: number
  /** Longest delay in milliseconds. @default 60_000 */
  maxMs?: number
}

/** Delays that double, each with a random part so that many waiters do not come back at once. */
export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  #attempt = 0

  constructor({ minMs = 500, maxMs = 60_000 }: BackoffOptions = {}) {
    this.#minMs = minMs
    this.#maxMs = maxMs
  }

  /** Failures since the last reset. */
  get attempt(): number {
    return this.#attempt
  }

  /** The next delay, between half and all of the doubled one. */
  nextMs(): number {
    const full = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempt++)
    return full / 2 + Math.random() * (full / 2)
  }

  /** Begins again with the shortest delay, after a success. */
  reset(): void {
    this.#attempt = 0
  }
}
