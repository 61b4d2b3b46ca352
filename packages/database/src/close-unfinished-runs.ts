import { dirtyStatement } from './ledger.ts'
import type { Client } from './open-database.ts'

export interface CloseUnfinishedRunsOptions {
  /** Time without a new record, in milliseconds, after which nobody is held to go on with a run. @default any */
  idleMs?: number
  /** Most runs to close. @default all */
  limit?: number
  /** Leaves out those that somebody is writing, instead of waiting for them. @default false */
  skipLocked?: boolean
}

/**
 * Closes runs of which records are missing that nobody sends any more, and has their repos fetched again (hazard B13).
 * Part of the client's transaction.
 * @returns the accounts.
 */
export async function closeUnfinishedRuns(
  client: Client,
  { idleMs, limit, skipLocked = false }: CloseUnfinishedRunsOptions = {},
): Promise<string[]> {
  const { rows } = await client.query<{ did: string; rev: string; host: string | null }>(
    `delete from millrace_run where (did, run) in (
       select did, run from millrace_run
       where (records is null or not seen @> int4range(0, records))
         and ($1::float8 is null or updated_at < now() - make_interval(secs => $1))
       order by did, run limit $2 for update ${skipLocked ? 'skip locked' : ''}
     ) returning did, rev, host`,
    [idleMs === undefined ? null : idleMs / 1_000, limit ?? null],
  )
  if (rows.length > 0)
    await client.query(
      dirtyStatement(
        rows.map(({ did, rev, host }) => ({ did, rev, host: host ?? undefined, reason: 'unfinished-run' })),
      ),
    )
  return rows.map(({ did }) => did)
}
