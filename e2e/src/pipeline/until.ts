import { setTimeout as wait } from 'node:timers/promises'

/** Longer nothing is waited for. */
export const PATIENCE_MS = 120_000

/** @throws with what it did not come to. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (const endsAt = performance.now() + PATIENCE_MS; !(await isSo()); await wait(100))
    if (performance.now() > endsAt) throw new Error(`it did not come to this in ${PATIENCE_MS / 1_000} s: ${what}`)
}
