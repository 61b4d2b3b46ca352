import type { PauseWatch } from '@millrace/database'
import { PausableLoop } from '@millrace/runtime'
import { groups, type Loop } from '@millrace/stream-protocol'
import type { RepoBackfiller } from '@millrace/repo-backfill'

export interface PausableBackfillersOptions {
  /** As `backfillerLoops` makes them: the first one reads the group. */
  backfillers: readonly RepoBackfiller[]
  /** What else asks hosts. */
  repairs?: readonly Loop[] | undefined
  /** @default 'repo_backfill_group' */
  group?: string
  pauses: Pick<PauseWatch, 'isPaused'> | undefined
}

/** Loops of a backfiller that stand still while the role, or the group that they read, is paused. */
export function pausableBackfillers({
  backfillers,
  repairs = [],
  group = groups.repoBackfill,
  pauses,
}: PausableBackfillersOptions): Loop[] {
  if (!pauses) return [...backfillers, ...repairs]
  const [reader, ...others] = backfillers
  const isPaused = (): boolean => pauses.isPaused('role', 'backfiller')
  return [
    ...(reader
      ? [new PausableLoop({ loop: reader, isPaused: () => isPaused() || pauses.isPaused('group', group) })]
      : []),
    ...[...others, ...repairs].map((loop) => new PausableLoop({ loop, isPaused })),
  ]
}
