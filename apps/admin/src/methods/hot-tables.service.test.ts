import { openDatabase, type Database } from '@millrace/database'
import { groups, streams } from '@millrace/stream-protocol'
import { eventually, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { LocalApi } from '../local-api.ts'
import { openAdmin } from './open-admin.testing.ts'

const RECORDS = 200_000
/** What the connections are called that answer. */
const ASKING = 'millrace-hot-tables'
/** Tables that grow with the network. */
const hot = ['actor', 'post', 'record', 'millrace_repo']

/** A database as full as it takes for a scan to be felt, and an account in it. */
async function fill({ pool }: Database, did: string): Promise<void> {
  const uri = `'at://did:plc:' || n % 1000 || '/app.bsky.feed.post/' || n`
  const at = `to_char(now() at time zone 'utc' - make_interval(secs => n), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
  await pool.query(
    `insert into record (uri, cid, did, json, "indexedAt") select ${uri}, 'c', 'did:plc:' || n % 1000, '{}', ${at} from generate_series(1, ${RECORDS}) n`,
  )
  await pool.query(
    `insert into post (uri, cid, creator, text, "createdAt", "indexedAt")
     select ${uri}, 'c', 'did:plc:' || n % 1000, '', ${at}, ${at} from generate_series(1, ${RECORDS / 10}) n`,
  )
  await pool.query(
    `insert into actor (did, handle, "indexedAt") select 'did:plc:' || n, n || '.test', '' from generate_series(1, ${RECORDS / 10}) n`,
  )
  await pool.query(
    `insert into millrace_repo (did, head_rev) select 'did:plc:' || n, '3k' from generate_series(1, ${RECORDS / 10}) n`,
  )
  await pool.query('insert into millrace_repo (did, head_rev) values ($1, $2)', [did, '3k'])
  await pool.query(`analyze ${hot.join(', ')}`)
}

/** How often each table was read from one end to the other, by connections that are closed. */
async function scans({ pool, schema }: Database): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; scans: number }>(
    'select relname as name, seq_scan::int as scans from pg_stat_user_tables where schemaname = $1 and relname = any ($2::text[])',
    [schema, hot],
  )
  return Object.fromEntries(rows.map(({ name, scans }) => [name, scans]))
}

serviceTest(
  'whatever is asked, no table that grows with the network is read through (M7)',
  { timeout: 300_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using admin = await openAdmin(redisUrl, databaseUrl)
    const { did } = admin.network.account(0)
    const stream = streams.firehoseLive
    await admin.store.ensureGroup(stream, groups.firehose)
    await fill(admin.database, did)
    const before = await scans(admin.database)
    const took: string[] = []
    {
      // What a connection has read is counted for good once it is closed.
      await using database = await openDatabase({ url: databaseUrl, pipeline: true, applicationName: ASKING })
      const api = new LocalApi({ ...admin.sources, database }, { who: 'a test', role: 'viewer' })
      const timed = async (name: string, ask: () => Promise<unknown>): Promise<void> => {
        const askedAt = performance.now()
        await ask()
        took.push(`${name} ${Math.round(performance.now() - askedAt)} ms`)
      }
      await timed('status', () => api.call('getStatus', {}))
      await timed('doctor', () => api.call('getDoctorReport', {}))
      await timed('trace', () => api.call('traceSubject', { subject: `at://${did}/app.bsky.feed.post/1` }))
      await api.call('getFreshness', {})
      await api.call('getLag', {})
      await api.call('getRepo', { did })
      await api.call('verifyRepo', { did })
      for (const state of ['dirty', 'running', 'broken', 'hidden', 'all']) await api.call('listRepos', { state })
      await api.call('listHosts', { sort: 'failing' })
      await api.call('getHost', { host: admin.host })
      await api.call('getBackfill', {})
      await api.call('listPauses', {})
      await api.call('listGaps', {})
      await api.call('listRepairs', {})
      await api.call('listDeadLetters', {})
      await api.call('getDeadLetterGroups', {})
      await api.call('exportDeadLetters', {})
      await api.call('listEntries', { stream, did })
      await api.call('listPending', { stream, group: groups.firehose })
      await api.call('planTrim', { stream, to: 'end' })
      await api.call('listAudit', {})
    }
    // Shown, and not judged: how long it takes is up to the machine.
    process.stdout.write(`over ${RECORDS} records: ${took.join(', ')}\n`)
    await eventually(async () => {
      const { rows } = await admin.database.pool.query('select from pg_stat_activity where application_name = $1', [
        ASKING,
      ])
      expect(rows).toEqual([])
    })
    expect(await scans(admin.database)).toEqual(before)
  },
)
