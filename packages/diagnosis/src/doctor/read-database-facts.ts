import { statfs } from 'node:fs/promises'
import {
  epochOfDatabase,
  migrationStatus,
  Pauses,
  PostgresLedger,
  tallyOfDatabase,
  type Database,
} from '@millrace/database'
import { readOpenGaps } from '@millrace/repair'
import type { BookkeepingFacts, DatabaseFacts } from './facts.ts'

export interface ReadDatabaseOptions {
  /** Told of the database's clock, with the time of ours at which it was asked. */
  onClock: (theirs: number, since: number) => void
  now: () => number
}

/** Catalogues, statistics and our own tables: no row of a hot table is read but the newest post (hazard M7). */
export async function readDatabaseFacts(
  database: Database,
  { onClock, now }: ReadDatabaseOptions,
): Promise<DatabaseFacts> {
  const askedAt = now()
  const { rows: servers } = await database.pool.query<{
    now: Date
    version: string
    commit: string
    fsync: string
    connections: number
    max_connections: number
    max_locks: number
    read_only: boolean
    folder: string | null
    is_local: boolean
  }>(
    `select clock_timestamp() as now, current_setting('server_version') as version,
       (select reset_val from pg_settings where name = 'synchronous_commit') as commit, current_setting('fsync') as fsync,
       (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
       current_setting('max_connections')::int as max_connections,
       current_setting('max_locks_per_transaction')::int as max_locks,
       pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as read_only,
       (select setting from pg_settings where name = 'data_directory') as folder,
       coalesce(inet_server_addr() <<= inet '127.0.0.0/8' or inet_server_addr() = inet '::1', true) as is_local`,
  )
  const server = servers[0]!
  onClock(server.now.getTime(), askedAt)
  const [blocked, invalid, migrations, disk] = await Promise.all([
    readBlocked(database),
    database.pool.query<{ name: string }>(
      `select indexrelid::regclass::text as name from pg_index join pg_class on pg_class.oid = indrelid
       where not indisvalid and relnamespace = to_regnamespace($1)`,
      [database.schema],
    ),
    migrationStatus(database),
    server.is_local && server.folder !== null ? diskOf(server.folder) : undefined,
  ])
  const isOurs = migrations.appView !== 'absent' && migrations.pending.length === 0
  return {
    version: `Postgres ${server.version}`,
    settings: {
      synchronousCommit: server.commit,
      fsync: server.fsync,
      maxConnections: server.max_connections,
      maxLocks: server.max_locks,
      isReadOnly: server.read_only,
    },
    connections: server.connections,
    blocked,
    invalidIndexes: invalid.rows.map(({ name }) => name),
    migrations,
    ...(disk && { disk }),
    ...(isOurs && { bookkeeping: await readBookkeeping(database) }),
    newestRow: isOurs ? await readNewestRow(database) : null,
  }
}

async function diskOf(folder: string): Promise<DatabaseFacts['disk']> {
  try {
    const { bsize, bavail, blocks } = await statfs(folder)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    // A container has folders of its own.
    return undefined
  }
}

async function readBlocked({ pool }: Database): Promise<DatabaseFacts['blocked']> {
  const { rows } = await pool.query<DatabaseFacts['blocked'][number]>(
    `select pid, coalesce(nullif(application_name, ''), 'a program without a name') as application,
       extract(epoch from now() - state_change)::float8 as seconds, pg_blocking_pids(pid) as by,
       state like 'idle in transaction%' as "isIdle"
     from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and ((wait_event_type = 'Lock' and state_change < now() - interval '30 seconds')
         or (state like 'idle in transaction%' and state_change < now() - interval '60 seconds'))
     order by state_change limit 10`,
  )
  return rows
}

/** By the index that timelines are read with. */
async function readNewestRow({ pool }: Database): Promise<Date | null> {
  const { rows } = await pool.query<{ newest: string | null }>('select max("sortAt") as newest from post')
  const newest = new Date(rows[0]?.newest ?? '')
  return Number.isNaN(newest.getTime()) ? null : newest
}

async function readBookkeeping(database: Database): Promise<BookkeepingFacts> {
  const { pool } = database
  const [summary, pauses, gaps, { rows }, leases, upstreams] = await Promise.all([
    new PostgresLedger({ database }).summary(),
    new Pauses(database).list(),
    readOpenGaps(database),
    pool.query<{
      epoch: string | null
      tally: number
      lost: number
      dirty: BookkeepingFacts['dirty']
      repairs: BookkeepingFacts['repairs']
      runs: BookkeepingFacts['runs']
      accounts: BookkeepingFacts['accounts']
    }>(
      `select
         ${epochOfDatabase} as epoch, ${tallyOfDatabase} as tally,
         (select count(*) from millrace_gap where reason = 'lost-entries' and opened_at > now() - interval '7 days') as lost,
         (select jsonb_build_object(
            'count', count(*), 'oldestSeconds', coalesce(${secondsSince('min(since)')}, 0),
            'futureRevs', count(*) filter (where reason = 'future-rev'), 'failing', count(*) filter (where attempts > 0))
          from millrace_dirty) as dirty,
         (select jsonb_build_object(
            'paused', count(*) filter (where finished_at is null and paused),
            'idleSeconds', coalesce(${secondsSince('min(updated_at) filter (where finished_at is null and not paused)')}, 0),
            'failed', coalesce(sum(failed) filter (where finished_at > now() - interval '7 days'), 0),
            'diverged', coalesce(sum(diverged) filter (where updated_at > now() - interval '7 days'), 0),
            'newest', max(id)) from millrace_repair) as repairs,
         (select jsonb_build_object('count', count(*), 'idleSeconds', coalesce(${secondsSince('min(updated_at)')}, 0))
          from millrace_run) as runs,
         (select jsonb_build_object('overdue', count(*), 'lastError', max(left(last_error, 200)))
          from millrace_account where next_at < now() - interval '1 hour') as accounts`,
    ),
    pool.query<BookkeepingFacts['leases'][number]>(
      `select scope, name, wanted, expires_at > now() as "isLive" from millrace_lease order by scope, name`,
    ),
    pool.query<BookkeepingFacts['upstreams'][number]>(
      `select host, stream, url, case when checkpoint is null then null else ${secondsSince('seen_at')} end as "seenSeconds"
       from millrace_upstream order by host, stream`,
    ),
  ])
  const { epoch, tally, lost, dirty, repairs, runs, accounts } = rows[0]!
  return {
    epoch,
    tally,
    leases: leases.rows,
    upstreams: upstreams.rows,
    letters: Object.entries(summary.deadLetters).map(([reason, count]) => ({ reason, count })),
    dirty,
    gaps,
    lostEntries: lost,
    repairs,
    runs,
    accounts,
    pauses,
  }
}

function secondsSince(moment: string): string {
  return `extract(epoch from now() - ${moment})::float8`
}
