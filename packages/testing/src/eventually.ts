import { setTimeout as wait } from 'node:timers/promises'

export interface EventuallyOptions {
  /** @default 10_000 */
  timeoutMs?: number
  /** @default 20 */
  everyMs?: number
}

/** Repeats an assertion until it holds, and resolves with what it returns. Rejects with its last error. */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() >= end) throw error
    }
    await wait(everyMs)
  }
}
