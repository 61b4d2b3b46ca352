import { RepairStore } from '@millrace/repair'
import { databaseOf, defineMethod } from './method.ts'

export const listRepairs = defineMethod({
  name: 'listRepairs',
  role: 'viewer',
  run: async ({ limit = 50 }, context) => {
    const repairs = await new RepairStore(databaseOf(context)).list(limit)
    return {
      repairs: repairs.map(({ since, until, createdAt, finishedAt, paused, error, ...repair }) => ({
        id: repair.id,
        host: repair.host,
        reason: repair.reason,
        state: repair.state,
        isPaused: paused,
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
      })),
    }
  },
})
