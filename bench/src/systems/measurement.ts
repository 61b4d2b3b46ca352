import type { Pool } from 'pg'
import { timed } from '../timed.ts'

/** What one system did with the records of a workload. */
export interface Measurement extends RunCost {
  system: SystemName
  /** Creates, updates and deletions that it was given. */
  records: number
  /** Those that it could not index. */
  failed: number
  perSecond: number
  /** Times that it waited for an answer of Postgres; null where nobody counted. */
  roundTrips: number | null
}

interface RunCost {
  /** From the first event to the last commit, and whatever the system does after it for the same events. */
  seconds: number
  /** Bytes that the write-ahead log grew by, from a checkpoint on. */
  walBytes: number
  /** `synchronous_commit`, on the system's own connections. */
  synchronousCommit: string
}

export interface SystemOptions {
  /** Events as JSON lines. */
  eventsFile: string
  /** A database without our tables, or with them. */
  postgresUrl: string
  /** An empty Redis. */
  redisUrl: string
  /** The stream that the events belong to, for the system that reads one. */
  stream: string
  /** Whether the reference takes one event after the other, which is slower. @default false */
  inOrder?: boolean
}

export const systemNames = ['ours', 'reference', 'bare'] as const
export type SystemName = (typeof systemNames)[number]

/** Indexes the events of a file, with a clock of its own. */
export type System = (options: SystemOptions) => Promise<Measurement>

/** What the work cost. `pool` is the system's own: its settings are what counts. */
export async function measureRun(pool: Pick<Pool, 'query'>, work: () => Promise<void>): Promise<RunCost> {
  const ask = async (sql: string): Promise<string> =>
    Object.values((await pool.query<Record<string, string>>(sql)).rows[0] ?? {})[0] ?? ''
  const synchronousCommit = await ask('show synchronous_commit')
  // All start alike: nobody pays for writes of the one before, and pages go to the log whole when they change first.
  await pool.query('checkpoint')
  const before = await ask('select pg_current_wal_insert_lsn()')
  const seconds = await timed(work)
  const walBytes = Number(await ask(`select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '${before}')`))
  return { seconds, walBytes, synchronousCommit }
}
