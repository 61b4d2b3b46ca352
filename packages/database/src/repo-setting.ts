import { BackfillQueue } from './backfill-queue.ts'
import { oweHosts } from './collection-setting.ts'
import type { Database } from './open-database.ts'

export interface ShareReposOptions {
  database: Database
  /** Accounts that are taken from now on; null for all. */
  dids: ReadonlySet<string> | null
  /** Whom they are taken from, without scheme. */
  hosts: readonly string[]
}

export type SharedRepos =
  | { change: 'none' }
  /** So many were not taken before: they are fetched. */
  | { change: 'added'; count: number }
  /** All are taken again: what was passed over since is owed by the hosts (see `shareCollectionFilter`). */
  | { change: 'all' }

/**
 * Tells all processes which accounts are taken, before anything is read by it. Of those that were not taken until now the
 * past is missing: they are to be fetched from then on, whatever becomes of this process (hazard I25).
 */
export async function shareRepos({ database, dids, hosts }: ShareReposOptions): Promise<SharedRepos> {
  const { rows } = await database.pool.query<{ dids: string[] | null }>(
    `select value as dids from millrace_setting where name = 'repos'`,
  )
  const before = rows[0]?.dids ?? null
  // What is owed is noted first: to note it twice is work done twice, and not at all would be a hole.
  if (dids === null) {
    if (before === null) return { change: 'none' }
    await oweHosts(database, hosts)
    await write(database, null)
    return { change: 'all' }
  }
  const known = new Set(before ?? (await wholeRepos(database, dids)))
  const added = [...dids].filter((did) => !known.has(did))
  await new BackfillQueue(database).add(added)
  await write(database, dids)
  return added.length > 0 ? { change: 'added', count: added.length } : { change: 'none' }
}

/** Those of some accounts that are taken. */
export async function takenRepos(
  { pool }: Pick<Database, 'pool'>,
  dids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ did: string }>(
    `with setting as (select value from millrace_setting where name = 'repos' and value <> 'null')
     select did from unnest($1::text[]) as did
     where not exists (select from setting) or (select value from setting) ? did`,
    [dids],
  )
  return new Set(rows.map(({ did }) => did))
}

/** While all were taken nothing of these was passed over. */
async function wholeRepos({ pool }: Pick<Database, 'pool'>, dids: ReadonlySet<string>): Promise<string[]> {
  const { rows } = await pool.query<{ did: string }>(
    `select did from millrace_repo where did = any ($1::text[]) and floor_rev is not null`,
    [[...dids]],
  )
  return rows.map(({ did }) => did)
}

async function write({ pool }: Pick<Database, 'pool'>, dids: ReadonlySet<string> | null): Promise<void> {
  await pool.query(
    `insert into millrace_setting (name, value) values ('repos', $1::jsonb)
     on conflict (name) do update set value = excluded.value, updated_at = now() where millrace_setting.value <> excluded.value`,
    [JSON.stringify(dids && [...dids])],
  )
}
