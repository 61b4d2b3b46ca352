import { BackfillQueue } from '@millrace/database'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'

export const retryFailed = defineMethod({
  name: 'retryFailed',
  role: 'operator',
  run: async ({ reason, dryRun = false }, context) => {
    const queue = new BackfillQueue(databaseOf(context))
    const count = await queue.countFailed()
    if (count === 0) return { change: noChange('no repo was given up', dryRun) }
    const told = (repos: number): string => `${repos === 1 ? '1 repo is' : `${repos} repos are`} fetched once more`
    if (dryRun) return { change: wouldChange(count, told(count)) }
    const change = await audited(
      context,
      { method: 'retryFailed', target: 'repos that were given up', reason, after: { count } },
      async () => {
        const changed = await queue.retryFailed()
        return { changed, summary: told(changed) }
      },
    )
    return { change }
  },
})
