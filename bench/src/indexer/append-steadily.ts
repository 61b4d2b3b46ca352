import { sleep } from '@millrace/stream-protocol'

/** Hands out values at an even pace: each call gets those whose time has come, the first at once. */
export async function appendSteadily<T>(
  values: readonly T[],
  perSecond: number,
  append: (due: T[]) => Promise<void>,
): Promise<void> {
  const start = performance.now()
  for (let done = 0; done < values.length;) {
    const due = dueAt(performance.now() - start, perSecond)
    if (due > done) await append(values.slice(done, due))
    done = Math.max(done, due)
    await sleep(1)
  }
}

/** How many should be out after so many milliseconds. */
export function dueAt(elapsedMs: number, perSecond: number): number {
  return Math.floor((elapsedMs * perSecond) / 1000) + 1
}
