import { sleep } from '@millrace/stream-protocol'
import type { Stage } from './stage.ts'

/** One fault of the matrix. */
export interface NemesisCase {
  name: string
  /** What is done, in words. */
  summary: string
  /** Hazards that it is about. */
  hazards: string
  /** Does it while the network writes. @returns how often it really happened. */
  inject(stage: Stage): Promise<number>
}

/** Waits until something is so. @returns whether it came to that in time. */
export async function comesTo(isSo: () => Promise<boolean> | boolean, timeoutMs = 15_000): Promise<boolean> {
  for (const endsAt = performance.now() + timeoutMs; performance.now() < endsAt; await sleep(50))
    if (await isSo()) return true
  return false
}
