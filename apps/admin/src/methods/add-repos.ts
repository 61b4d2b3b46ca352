import { BackfillQueue } from '@millrace/database'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'

export const addRepos = defineMethod({
  name: 'addRepos',
  role: 'operator',
  run: async ({ dids, first = false, reason, dryRun = false }, context) => {
    const queue = new BackfillQueue(databaseOf(context))
    const wanted = [...new Set(dids)]
    const count = await queue.countNew(wanted, { first })
    if (count === 0)
      return { change: noChange(wanted.length === 1 ? 'it waits already' : 'all of them wait already', dryRun) }
    const summary = `${count === 1 ? '1 account is' : `${count} accounts are`} fetched ${first ? 'before' : 'after'} all others, by a backfiller that has this database`
    if (dryRun) return { change: wouldChange(count, summary) }
    const target = wanted.length === 1 ? wanted[0]! : `${wanted.length} accounts`
    const change = await audited(
      context,
      { method: 'addRepos', target, reason, after: { dids: wanted.slice(0, 100), first } },
      async () => {
        await queue.add(wanted, { first })
        return { changed: count, summary }
      },
    )
    return { change }
  },
})
