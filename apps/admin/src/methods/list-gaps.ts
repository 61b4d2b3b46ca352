import { readOpenGaps } from '@millrace/repair'
import { databaseOf, defineMethod } from './method.ts'

export const listGaps = defineMethod({
  name: 'listGaps',
  role: 'viewer',
  run: async (_input, context) => {
    const gaps = await readOpenGaps(databaseOf(context))
    return {
      gaps: gaps.map(({ id, host, stream, reason, fromSeq, toSeq, since, until, openedAt, repair, repairState }) => ({
        id,
        host,
        stream,
        reason,
        openedAt: openedAt.toISOString(),
        ...(fromSeq !== null && { fromSeq }),
        ...(toSeq !== null && { toSeq }),
        ...(since && { since: since.toISOString() }),
        ...(until && { until: until.toISOString() }),
        ...(repair !== null && { repair }),
        ...(repairState !== null && { repairState }),
      })),
    }
  },
})
