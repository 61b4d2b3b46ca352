import { RepairStore } from '@millrace/repair'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, MethodError, noChange, wouldChange } from './method.ts'

export const controlRepair = defineMethod({
  name: 'controlRepair',
  role: 'operator',
  run: async ({ id, action, reason, dryRun = false }, context) => {
    const store = new RepairStore(databaseOf(context))
    const repair = await store.get(id)
    if (!repair) throw new MethodError('NotFound', `there is no repair ${id}`)
    const { state, paused, finishedAt } = repair
    if (finishedAt) return { change: noChange(`repair ${id} has ended: ${state}`, dryRun) }
    if ((action === 'pause' && paused) || (action === 'resume' && !paused))
      return { change: noChange(`repair ${id} is ${paused ? 'paused' : 'at work'} already`, dryRun) }
    const summary = {
      pause: `repair ${id} is paused`,
      resume: `repair ${id} goes on`,
      cancel: `repair ${id} is cancelled: its gaps are open again`,
    }[action]
    if (dryRun) return { change: wouldChange(1, summary) }
    const undo = {
      pause: `millrace repair resume ${id}`,
      resume: `millrace repair pause ${id}`,
      cancel: `millrace repair --host ${repair.host}`,
    }[action]
    const change = await audited(
      context,
      { method: 'controlRepair', target: `repair ${id}`, reason, before: { state, paused }, after: { action }, undo },
      async () => {
        const isDone = action === 'cancel' ? await store.cancel(id) : await store.setPaused(id, action === 'pause')
        return { changed: isDone ? 1 : 0, summary: isDone ? summary : `repair ${id} has ended` }
      },
    )
    return { change }
  },
})
