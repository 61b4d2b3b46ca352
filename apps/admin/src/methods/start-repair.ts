import { readUpstreams } from '@millrace/database'
import { RepairStore } from '@millrace/repair'
import { hostWithoutScheme } from '@millrace/stream-protocol'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, MethodError, wouldChange } from './method.ts'

export const startRepair = defineMethod({
  name: 'startRepair',
  role: 'operator',
  run: async ({ host: asked, since, until, compareOnly = false, reason, dryRun = false }, context) => {
    const database = databaseOf(context)
    const host = hostWithoutScheme(asked)
    if (!(await readUpstreams(database)).some((upstream) => upstream.host === host))
      throw new MethodError('UnknownHost', `no ingester has said to read ${host}`)
    const [from, to] = [since, until].map((time) => (time === undefined ? undefined : new Date(time)))
    if (from && to && from >= to) throw new MethodError('InvalidRequest', 'since is not before until')
    if (dryRun) return { change: wouldChange(1, `all repos of ${host} would be compared with ours`) }
    let repair: number | undefined
    const change = await audited(
      context,
      { method: 'startRepair', target: host, reason, after: { since, until, compareOnly } },
      async () => {
        const { id, isNew } = await new RepairStore(database).plan({
          host,
          reason: 'asked',
          since: from,
          until: to,
          dryRun: compareOnly,
        })
        repair = id
        return isNew
          ? { changed: 1, summary: `repair ${id} of ${host} is planned: a backfiller begins with it` }
          : { changed: 0, summary: `repair ${id} of ${host} is open already` }
      },
    )
    return {
      change: change.changed > 0 ? { ...change, undo: `millrace repair cancel ${repair}` } : change,
      ...(repair !== undefined && { repair }),
    }
  },
})
