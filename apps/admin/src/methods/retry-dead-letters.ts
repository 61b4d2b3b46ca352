import { DeadLetters } from '@millrace/database'
import { replayable } from '../replayable.ts'
import { audited } from './audited.ts'
import { describeTraits, filterOf } from './letters.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'

/** Letters that cannot be put back, as many as are named. */
const MOST_REFUSED = 100

export const retryDeadLetters = defineMethod({
  name: 'retryDeadLetters',
  role: 'operator',
  run: async ({ reason, dryRun = false, ...traits }, context) => {
    const letters = new DeadLetters(databaseOf(context))
    const filter = filterOf(traits)
    const replays = replayable(context.sources)
    const refuses = (letter: Parameters<typeof replays.refuses>[0]): string | undefined => replays.refuses(letter)
    const plan = await letters.retry({ filter, refuses, dryRun: true })
    const refused = plan.refused.slice(0, MOST_REFUSED)
    if (plan.retried === 0)
      return { change: noChange('there is no such letter that could be put back', dryRun), refused }
    const summary = `${plan.retried === 1 ? '1 letter' : `${plan.retried} letters`} put back: an indexer takes them within seconds`
    if (dryRun) return { change: wouldChange(plan.retried, summary), refused }
    const change = await audited(
      context,
      { method: 'retryDeadLetters', target: describeTraits(traits), reason, after: { count: plan.retried } },
      async () => ({ changed: (await letters.retry({ filter, refuses })).retried, summary }),
    )
    return { change, refused }
  },
})
