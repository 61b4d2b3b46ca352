import { Pauses } from '@millrace/database'
import { ago } from '@millrace/diagnosis/words'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'
import { pauseOf, targetOf } from './pauses.ts'

/** Of a pause that is asked for twice, so much of its length may have passed between the two; at most a minute. */
const SAME = 0.1

export const pause = defineMethod({
  name: 'pause',
  role: 'operator',
  run: async ({ forSeconds, reason, dryRun = false, ...named }, context) => {
    const pauses = new Pauses(databaseOf(context))
    const target = await targetOf(named, context)
    const { kind, name } = target
    const before = (await pauses.list()).find((each) => each.kind === kind && each.name === name)
    const forMs = forSeconds === undefined ? null : forSeconds * 1_000
    if (before && before.reason === reason && lasts(before.leftMs, forMs))
      return { change: noChange(`${kind} ${name} is paused already`, dryRun), pause: pauseOf(before) }
    const summary = `${kind} ${name} is paused${forSeconds === undefined ? ', until it is resumed' : `, for ${ago(forSeconds)}`}`
    if (dryRun) return { change: wouldChange(1, summary) }
    let made: ReturnType<typeof pauseOf> | undefined
    const change = await audited(
      context,
      {
        method: 'pause',
        target: `${kind} ${name}`,
        reason,
        before: before ? pauseOf(before) : null,
        after: { forSeconds },
        undo: `millrace resume ${name} --kind ${kind}`,
      },
      async () => {
        made = pauseOf(await pauses.set({ ...target, reason, who: context.caller.who, forMs }))
        return { changed: 1, summary }
      },
    )
    return { change, pause: made }
  },
})

function lasts(leftMs: number | null, forMs: number | null): boolean {
  if (leftMs === null || forMs === null) return leftMs === forMs
  return leftMs > 0 && Math.abs(leftMs - forMs) <= Math.min(60_000, forMs * SAME)
}
