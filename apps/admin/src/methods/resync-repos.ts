import { countForResync, markForResync } from '@millrace/repair'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'

export const resyncRepos = defineMethod({
  name: 'resyncRepos',
  role: 'operator',
  run: async ({ dids, reindex = false, reason, dryRun = false }, context) => {
    const database = databaseOf(context)
    const wanted = [...new Set(dids)]
    const count = await countForResync({ database, dids: wanted, reindex })
    if (count === 0)
      return {
        change: noChange(wanted.length === 1 ? 'it is fetched next already' : 'they are fetched next already', dryRun),
      }
    const summary = `${count === 1 ? '1 account is' : `${count} accounts are`} fetched next, by a backfiller that has this database`
    if (dryRun) return { change: wouldChange(count, summary) }
    const target = wanted.length === 1 ? wanted[0]! : `${wanted.length} accounts`
    const change = await audited(
      context,
      { method: 'resyncRepos', target, reason, after: { dids: wanted.slice(0, 100), reindex } },
      async () => ({ changed: await markForResync({ database, dids: wanted, reindex }), summary }),
    )
    return { change }
  },
})
