import { DATABASE_TALLY_KEY, type CursorStore } from '@millrace/stream-protocol'
import type { Client, Database } from './open-database.ts'

/**
 * A number that ingesters count on in Postgres every few seconds, and then tell the store of streams. What the store was
 * told was committed before: a database that has a smaller number went back, to a backup or to a replica that lacked the
 * last commits (hazard I4).
 */
const TALLY_SETTING = 'database-tally'

/** As SQL: where the database is; 0 for one in which nobody has counted. */
export const tallyOfDatabase = `coalesce((select value::bigint from millrace_setting where name = '${TALLY_SETTING}'), 0)`

/** The same, read. */
export async function readTally(client: Database['pool'] | Client): Promise<number> {
  const { rows } = await client.query<{ tally: number }>(`select ${tallyOfDatabase} as tally`)
  return rows[0]!.tally
}

/** What the store of streams was told last; 0 for one that was told nothing. */
export async function readToldTally(cursors: Pick<CursorStore, 'get'>): Promise<number> {
  const told = await cursors.get(DATABASE_TALLY_KEY)
  return told !== null && /^\d{1,15}$/.test(told) ? Number(told) : 0
}

/** Counts one on and tells the store, unless the database is elsewhere by now than where it was read to be. */
export async function countOn(
  { pool }: Pick<Database, 'pool'>,
  cursors: Pick<CursorStore, 'set'>,
  from: number,
): Promise<void> {
  const { rowCount } = await pool.query(
    `insert into millrace_setting as s (name, value) select $1, to_jsonb($2::bigint + 1)
     where $2::bigint = ${tallyOfDatabase}
     on conflict (name) do update set value = excluded.value, updated_at = now() where s.value::bigint = $2::bigint`,
    [TALLY_SETTING, from],
  )
  if (rowCount === 1) await cursors.set(DATABASE_TALLY_KEY, String(from + 1))
}

/** Has the database count on from what the store was told, if it is not there: another one was, or it went back. */
export async function raiseTally(client: Client, to: number): Promise<void> {
  await client.query(
    `insert into millrace_setting as s (name, value) values ($1, to_jsonb($2::bigint))
     on conflict (name) do update set value = to_jsonb(greatest(s.value::bigint, $2::bigint)), updated_at = now()`,
    [TALLY_SETTING, to],
  )
}
