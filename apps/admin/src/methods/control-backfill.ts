import { BackfillQueue } from '@millrace/database'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'

export const controlBackfill = defineMethod({
  name: 'controlBackfill',
  role: 'operator',
  run: async ({ action, reason, dryRun = false }, context) => {
    const queue = new BackfillQueue(databaseOf(context))
    const paused = action === 'pause'
    const before = await queue.isPaused()
    if (before === paused)
      return { change: noChange(`the backfill is ${paused ? 'paused' : 'at work'} already`, dryRun) }
    const summary = paused
      ? 'backfillers begin no more repos that nobody waits for, within seconds'
      : 'backfillers go on, within seconds'
    if (dryRun) return { change: wouldChange(1, summary) }
    const change = await audited(
      context,
      {
        method: 'controlBackfill',
        target: 'backfill',
        reason,
        before: { paused: before },
        after: { paused },
        undo: `millrace backfill ${paused ? 'resume' : 'pause'}`,
      },
      async () => {
        await queue.setPaused(paused)
        return { changed: 1, summary }
      },
    )
    return { change }
  },
})
