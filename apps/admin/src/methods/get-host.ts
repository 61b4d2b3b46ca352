import { Pauses } from '@millrace/database'
import { cursorKey, hostWithoutScheme, INGESTER_DONE } from '@millrace/stream-protocol'
import { readHosts } from './hosts.ts'
import { knownHosts } from './known-hosts.ts'
import { databaseOf, defineMethod, MethodError, type MethodContext } from './method.ts'
import { pauseOf } from './pauses.ts'

const MOST_ERRORS = 10

export const getHost = defineMethod({
  name: 'getHost',
  role: 'viewer',
  run: async ({ host: asked }, context) => {
    const database = databaseOf(context)
    const name = hostWithoutScheme(asked).toLowerCase()
    const [[host], cursors, lastErrors, missing, pauses] = await Promise.all([
      readHosts(database, name),
      readCursors(name, context),
      readErrors(name, context),
      readMissing(name, context),
      new Pauses(database).list(),
    ])
    if (!host) throw new MethodError('NotFound', `nobody has read ${name}, or asked it for a repo`)
    const pause = pauses.find((each) => each.kind === 'host' && each.name === name)
    return { host, cursors, lastErrors, ...missing, ...(pause && { pause: pauseOf(pause) }) }
  },
})

async function readCursors(name: string, context: MethodContext) {
  const { store } = context.sources
  const places = (await knownHosts(context)).filter(({ host }) => hostWithoutScheme(host) === name)
  return await Promise.all(
    places.map(async ({ host, stream, checkpoint, seenAt }) => {
      const cursor = 'why' in store ? null : await store.cursors.get(cursorKey(stream, host))
      return {
        stream,
        isDone: cursor === INGESTER_DONE,
        ...(cursor !== null && { cursor }),
        ...(checkpoint !== null && { checkpoint }),
        ...(seenAt && { seenAt: seenAt.toISOString() }),
      }
    }),
  )
}

async function readErrors(name: string, context: MethodContext) {
  const { rows } = await databaseOf(context).pool.query<{
    letter: number
    did: string | null
    reason: string
    error: string
    at: Date
  }>(
    `select id as letter, did, reason, left(error, 500) as error, last_at as at from millrace_dead_letter
     where state = 'kept' and host = any ($1::text[]) order by last_at desc limit ${MOST_ERRORS}`,
    [[name, `https://${name}`, `http://${name}`]],
  )
  return rows.map(({ letter, did, reason, error, at }) => ({
    letter,
    reason,
    error,
    at: at.toISOString(),
    ...(did !== null && { did }),
  }))
}

async function readMissing(name: string, context: MethodContext) {
  const { rows } = await databaseOf(context).pool.query<{
    openGaps: number
    repair: number | null
    repairState: string | null
  }>(
    `select (select count(*)::int from millrace_gap where host = $1 and closed_at is null) as "openGaps",
       r.id as repair, r.state as "repairState"
     from (values (1)) as one left join lateral (
       select id, state from millrace_repair where host = $1 order by id desc limit 1
     ) as r on true`,
    [name],
  )
  const { openGaps, repair, repairState } = rows[0]!
  return { openGaps, ...(repair !== null && { repair }), ...(repairState !== null && { repairState }) }
}
