import { AlarmStore } from '@millrace/database'
import { alertName, quoted, silenceArguments } from '../alarms/silence-arguments.ts'
import { audited } from './audited.ts'
import { databaseOf, defineMethod, noChange, wouldChange } from './method.ts'

export const unsilenceAlert = defineMethod({
  name: 'unsilenceAlert',
  role: 'operator',
  run: async ({ code, subject = null, reason, dryRun = false }, context) => {
    const store = new AlarmStore(databaseOf(context))
    const target = alertName({ code, subject })
    const before = (await store.silences()).findLast((silence) => silence.code === code && silence.subject === subject)
    if (!before) return { change: noChange(`${target} is not silenced`, dryRun) }
    const summary = `${target} is told of again`
    if (dryRun) return { change: wouldChange(1, summary) }
    const left = Math.max(1, Math.round((before.expiresAt.getTime() - Date.now()) / 1_000))
    const undo = `millrace alerts silence ${silenceArguments(before)} --for ${left}s --reason ${quoted(before.reason)}`
    const change = await audited(context, { method: 'unsilenceAlert', target, reason, before, undo }, async () => ({
      changed: (await store.unsilence({ code, subject })) > 0 ? 1 : 0,
      summary,
    }))
    return { change }
  },
})
