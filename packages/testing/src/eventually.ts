import { setTimeout as wait } from 'node:timers/promises'

export interface EventuallyOptions {
  /** A machine that has much else to do may take long: who waits in vain has lost nothing but time. @default 20_000 */
  timeoutMs?: number
  /** @default 20 */
  everyMs?: number
}

/** Repeats an assertion until it holds, and resolves with what it returns. Rejects with its last error. */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 20_000, everyMs = 20 }: EventuallyOptions = {},
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;) {
    try {
      return await assertion()
    } catch (error) {
      if (performance.now() >= end) throw error
    }
    await wait(everyMs)
  }
}
