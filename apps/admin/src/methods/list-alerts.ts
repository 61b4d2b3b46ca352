import { AlarmStore, type Silence, type StoredAlarm } from '@millrace/database'
import { runbookUrl } from '@millrace/diagnosis'
import { silenceOf } from '../alarms/due-notices.ts'
import { databaseOf, defineMethod, type MethodContext } from './method.ts'

export const listAlerts = defineMethod({
  name: 'listAlerts',
  role: 'viewer',
  run: async (_input, context) => {
    const { alarms, silences } = await readBook(context)
    const now = Date.now()
    return {
      alerts: alarms.map((alarm) => describe(alarm, silenceOf(alarm, silences, now))),
      silences: silences.map(({ code, subject, reason, who, createdAt, expiresAt }) => ({
        code,
        ...(subject !== null && { subject }),
        reason,
        who,
        createdAt: createdAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
      })),
      webhooks: (context.sources.webhooks ?? []).map(({ name }) => name),
    }
  },
})

/** A process that keeps alarms knows them also while the database is away. */
async function readBook(context: MethodContext): Promise<{
  alarms: readonly StoredAlarm[]
  silences: readonly Silence[]
}> {
  const { alarms: book, database } = context.sources
  const store = database && !('why' in database) ? new AlarmStore(database) : undefined
  if (!book) {
    const kept = store ?? new AlarmStore(databaseOf(context))
    const [alarms, silences] = await Promise.all([kept.alarms(), kept.silences()])
    return { alarms, silences }
  }
  // One that was made a moment ago counts at the next look, and shows at once.
  const silences = await store?.silences().catch(() => undefined)
  return { alarms: book.alarms, silences: silences ?? book.silences }
}

function describe(alarm: StoredAlarm, silence: Silence | undefined) {
  const { code, severity, subject, message, meaning, command, since, openedAt, endedAt } = alarm
  const at = (ms: number): string => new Date(ms).toISOString()
  return {
    code,
    severity,
    subject,
    state: endedAt !== null ? 'ended' : openedAt !== null ? 'open' : 'pending',
    since: at(since),
    ...(openedAt !== null && { openedAt: at(openedAt) }),
    ...(endedAt !== null && { endedAt: at(endedAt) }),
    ...(silence && { silencedUntil: silence.expiresAt.toISOString() }),
    message,
    meaning,
    command,
    runbook: runbookUrl(code),
  }
}
