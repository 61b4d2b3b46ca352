import type { PauseWatch } from '@millrace/database'
import { PausableLoop } from '@millrace/runtime'
import type { Loop } from '@millrace/stream-protocol'
import type { IngesterLoop } from './ingester.ts'

/** Loops of an ingester that stand still while the role, or their host, is paused. They go on from their cursors. */
export function pausableIngesters(
  loops: readonly IngesterLoop[],
  pauses: Pick<PauseWatch, 'isPaused'> | undefined,
): Loop[] {
  if (!pauses) return [...loops]
  return loops.map(
    (loop) =>
      new PausableLoop({
        loop,
        isPaused: () => pauses.isPaused('role', 'ingester') || pauses.isPaused('host', loop.status().host),
      }),
  )
}
