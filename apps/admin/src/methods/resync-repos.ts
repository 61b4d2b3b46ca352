import { markForResync } from '@millrace/repair'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, wouldChange } from './method.ts'

export const resyncRepos = defineMethod({
  name: 'resyncRepos',
  role: 'operator',
  run: async ({ dids, reindex = false, reason, dryRun = false }, context) => {
    const database = databaseOf(context)
    const wanted = [...new Set(dids)]
    const summary = `${wanted.length === 1 ? '1 account is' : `${wanted.length} accounts are`} fetched next, by a backfiller that has this database`
    if (dryRun) return { change: wouldChange(wanted.length, summary) }
    const target = wanted.length === 1 ? wanted[0]! : `${wanted.length} accounts`
    const change = await audited(
      context,
      { method: 'resyncRepos', target, reason, after: { dids: wanted.slice(0, 100), reindex } },
      async () => {
        await markForResync({ database, dids: wanted, reindex })
        return { changed: wanted.length, summary }
      },
    )
    return { change }
  },
})
