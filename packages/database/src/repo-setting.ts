import { BackfillQueue } from './backfill-queue.ts'
import { oweHosts, readCollectionFilter } from './collection-setting.ts'
import type { Database } from './open-database.ts'
import { isKnownRepo } from './repo-heads.ts'

/** Accounts are taken that have records of the collections that are taken. */
export const BY_COLLECTION = 'by-collection'

/** Which accounts are taken: some, those that have certain records, or null for all. */
export type TakenRepos = ReadonlySet<string> | typeof BY_COLLECTION | null

export interface ShareReposOptions {
  database: Database
  /** Accounts that are taken from now on. */
  dids: TakenRepos
  /** Whom they are taken from, without scheme. */
  hosts: readonly string[]
}

/** What became of the accounts that all ingesters take. */
export type SharedRepos =
  | { change: 'none' }
  /** So many were not taken before: they are fetched. */
  | { change: 'added'; count: number }
  /** Others are taken than before, and nobody knows which: what was passed over is owed by the hosts (see `shareCollectionFilter`). */
  | { change: 'others' }

/**
 * Tells all processes which accounts are taken, before anything is read by it. Of those that were not taken until now the
 * past is missing: they are to be fetched from then on, whatever becomes of this process (hazard I25).
 */
export async function shareRepos({ database, dids, hosts }: ShareReposOptions): Promise<SharedRepos> {
  const before = await readSetting(database)
  // What is owed is noted first: to note it twice is work done twice, and not at all would be a hole.
  if (dids === null || dids === BY_COLLECTION) {
    // Of those that have such records nothing was passed over while all were taken.
    const wereTaken = before === null || before === dids
    if (!wereTaken) await oweHosts(database, hosts)
    await write(database, dids)
    return { change: wereTaken ? 'none' : 'others' }
  }
  const known = new Set(Array.isArray(before) ? before : await wholeRepos(database, dids))
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
     select did from unnest($1::text[]) as k(did)
     where not exists (select from setting) or (select value from setting) ? did
       or ((select value from setting) = '"${BY_COLLECTION}"' and ${isKnownRepo('k.did')})`,
    [dids],
  )
  return new Set(rows.map(({ did }) => did))
}

/** The collections whose accounts are taken; null where accounts are taken in other ways. */
export async function readListedCollections(database: Pick<Database, 'pool'>): Promise<readonly string[] | null> {
  if ((await readSetting(database)) !== BY_COLLECTION) return null
  return (await readCollectionFilter(database)).patterns
}

async function readSetting({ pool }: Pick<Database, 'pool'>): Promise<string[] | typeof BY_COLLECTION | null> {
  const { rows } = await pool.query<{ value: string[] | typeof BY_COLLECTION | null }>(
    `select value from millrace_setting where name = 'repos'`,
  )
  return rows[0]?.value ?? null
}

/** While they were taken with others nothing of these was passed over. */
async function wholeRepos({ pool }: Pick<Database, 'pool'>, dids: ReadonlySet<string>): Promise<string[]> {
  const { rows } = await pool.query<{ did: string }>(
    `select did from millrace_repo where did = any ($1::text[]) and floor_rev is not null`,
    [[...dids]],
  )
  return rows.map(({ did }) => did)
}

async function write({ pool }: Pick<Database, 'pool'>, dids: TakenRepos): Promise<void> {
  await pool.query(
    `insert into millrace_setting (name, value) values ('repos', $1::jsonb)
     on conflict (name) do update set value = excluded.value, updated_at = now() where millrace_setting.value <> excluded.value`,
    [JSON.stringify(dids instanceof Set ? [...dids] : dids)],
  )
}
