import { AlarmStore } from '@millrace/database'
import { isAlarmCode } from '@millrace/diagnosis'
import { alertName, silenceArguments } from '../alarms/silence-arguments.ts'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, MethodError, noChange, wouldChange } from './method.ts'

/** A silence that ends so much earlier than what is asked for is the same one, asked for again. */
const SAME_MS = 60_000

export const silenceAlert = defineMethod({
  name: 'silenceAlert',
  role: 'operator',
  run: async ({ code, subject = null, seconds, reason, dryRun = false }, context) => {
    const store = new AlarmStore(databaseOf(context))
    if (!isAlarmCode(code))
      throw new MethodError('UnknownAlert', `there is no alarm ${code}: docs/runbook.md lists them`)
    const target = alertName({ code, subject })
    const until = new Date(Date.now() + seconds * 1_000)
    const before = (await store.silences()).findLast((silence) => silence.code === code && silence.subject === subject)
    if (before && before.expiresAt.getTime() > until.getTime() - SAME_MS) {
      const ends = before.expiresAt.toISOString()
      return { expiresAt: ends, change: noChange(`nobody is told of ${target} until ${ends} already`, dryRun) }
    }
    const expiresAt = until.toISOString()
    const summary = `nobody is told of ${target} until ${expiresAt}`
    if (dryRun) return { expiresAt, change: wouldChange(1, summary) }
    const undo = `millrace alerts unsilence ${silenceArguments({ code, subject })}`
    const change = await audited(
      context,
      { method: 'silenceAlert', target, reason, before: before ?? null, after: { expiresAt }, undo },
      async () => {
        await store.silence({ code, subject, reason, who: context.caller.who, expiresAt: until })
        return { changed: 1, summary }
      },
    )
    return { expiresAt, change }
  },
})
