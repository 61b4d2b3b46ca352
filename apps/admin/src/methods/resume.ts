import { Pauses, type Pause } from '@millrace/database'
import { quoted } from '../alarms/silence-arguments.ts'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'
import { isMeant, pauseOf, targetOf } from './pauses.ts'

export const resume = defineMethod({
  name: 'resume',
  role: 'operator',
  run: async ({ reason, dryRun = false, ...named }, context) => {
    const pauses = new Pauses(databaseOf(context))
    const before = (await pauses.list()).find((each) => isMeant(named, each))
    const target = before ?? (await targetOf(named, context))
    const { kind, name } = target
    if (!before) return { change: noChange(`${kind} ${name} is not paused`, dryRun) }
    const summary = `${kind} ${name} goes on${kind === 'collection' ? ': the accounts of what came meanwhile are fetched' : ''}`
    if (dryRun) return { change: wouldChange(1, summary) }
    const change = await audited(
      context,
      {
        method: 'resume',
        target: `${kind} ${name}`,
        reason,
        before: pauseOf(before),
        after: null,
        undo: again(before),
      },
      async () => ({ changed: (await pauses.clear(target)) ? 1 : 0, summary }),
    )
    return { change }
  },
})

/** The command that pauses it once more, for as long as was left. */
function again({ kind, name, reason, leftMs }: Pause): string | undefined {
  if (leftMs !== null && leftMs <= 0) return undefined
  const left = leftMs === null ? '' : ` --for ${Math.ceil(leftMs / 1_000)}s`
  return `millrace pause ${name} --kind ${kind} --reason ${quoted(reason)}${left}`
}
