import { DeadLetters, DISCARDABLE } from '@millrace/database'
import { audited } from './audited.ts'
import { describeTraits, filterOf } from './letters.ts'
import { databaseOf, defineMethod, MethodError, noChange, wouldChange } from './method.ts'

export const discardDeadLetters = defineMethod({
  name: 'discardDeadLetters',
  role: 'operator',
  run: async ({ confirm, reason, dryRun = false, ...traits }, context) => {
    const letters = new DeadLetters(databaseOf(context))
    const filter = filterOf(traits)
    const count = await letters.count({ ...filter, states: filter.states ?? DISCARDABLE })
    if (count === 0) return { change: noChange('there is no such letter that could be discarded', dryRun) }
    const summary = `${count === 1 ? '1 letter' : `${count} letters`} discarded`
    if (dryRun) return { change: wouldChange(count, summary) }
    if (traits.ids?.length !== 1 && confirm !== String(count))
      throw new MethodError('NotConfirmed', `there are ${count}: repeat it with confirm ${count}`)
    const change = await audited(
      context,
      {
        method: 'discardDeadLetters',
        target: describeTraits(traits),
        reason,
        after: { count },
        undo: traits.ids ? `millrace dlq retry ${traits.ids.join(' ')}` : undefined,
      },
      async () => ({ changed: await letters.discard(filter), summary }),
    )
    return { change }
  },
})
