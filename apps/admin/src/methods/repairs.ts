import type { ListRepairsRepair } from '@millrace/admin-api'
import type { Repair } from '@millrace/repair'

/** A repair as its lexicon has it. */
export function repairOf({ since, until, createdAt, finishedAt, paused, error, ...repair }: Repair): ListRepairsRepair {
  return {
    id: repair.id,
    host: repair.host,
    reason: repair.reason,
    state: repair.state,
    isPaused: paused,
    isDryRun: repair.dryRun,
    createdAt: createdAt.toISOString(),
    listed: repair.listed,
    current: repair.current,
    moved: repair.moved,
    unknown: repair.unknown,
    inactive: repair.inactive,
    waiting: repair.waiting,
    failed: repair.failed,
    sampled: repair.sampled,
    diverged: repair.diverged,
    ...(since && { since: since.toISOString() }),
    ...(until && { until: until.toISOString() }),
    ...(finishedAt && { finishedAt: finishedAt.toISOString() }),
    ...(error !== null && { error }),
  }
}
