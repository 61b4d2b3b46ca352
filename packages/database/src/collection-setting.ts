import { isGuarded } from '@millrace/failpoints'
import { CollectionFilter } from '@millrace/stream-protocol'
import type { Database } from './open-database.ts'

interface Setting {
  patterns: string[]
  /** Hosts of which everything is to be fetched anew, because more is taken now than was when it was read. */
  owed: string[]
}

export interface ShareCollectionsOptions {
  database: Database
  /** What is taken from now on. */
  collections: CollectionFilter
  /** Whom it is taken from, without scheme. */
  hosts: readonly string[]
}

/** What became of the collections that all ingesters take. */
export type SharedCollections =
  | { change: 'none' }
  /** What was left out until now is owed: the repos of these hosts are fetched anew. */
  | { change: 'wider'; before: CollectionFilter }
  /** What is left out from now on stays as it is, until its repo is fetched again. */
  | { change: 'narrower'; before: CollectionFilter }

/**
 * Tells all processes which collections are taken, before anything is read by it. Of what was left out until now the
 * past is missing: it is owed from then on, whatever becomes of this process (hazard I25).
 */
export async function shareCollectionFilter({
  database,
  collections,
  hosts,
}: ShareCollectionsOptions): Promise<SharedCollections> {
  return await database.transaction(async (client) => {
    // Of two that share it at once, one comes second.
    await client.query('lock table millrace_setting in share row exclusive mode')
    const { rows } = await client.query<{ value: Setting | null; isNew: boolean }>(
      `select (select value from millrace_setting where name = 'collections') as value,
         not exists (select from millrace_repo) as "isNew"`,
    )
    const { value, isNew } = rows[0]!
    // Before there was a filter, everything was taken.
    const before = value ? new CollectionFilter(value.patterns) : isNew ? collections : CollectionFilter.all
    const isWider = !before.covers(collections)
    const owed =
      isWider && isGuarded('owed-collections') ? [...new Set([...(value?.owed ?? []), ...hosts])] : (value?.owed ?? [])
    await write(client, { patterns: [...collections.patterns], owed })
    if (isWider) return { change: 'wider', before }
    return collections.covers(before) ? { change: 'none' } : { change: 'narrower', before }
  })
}

/** Which collections are taken: all, where nobody has said otherwise. */
export async function readCollectionFilter({ pool }: Pick<Database, 'pool'>): Promise<CollectionFilter> {
  const { rows } = await pool.query<{ patterns: string[] }>({
    name: 'millrace_read_collections',
    text: `select value -> 'patterns' as patterns from millrace_setting where name = 'collections'`,
  })
  return rows[0] ? new CollectionFilter(rows[0].patterns) : CollectionFilter.all
}

/** Hosts of which everything is to be fetched anew. */
export async function readOwedHosts({ pool }: Pick<Database, 'pool'>): Promise<string[]> {
  const { rows } = await pool.query<{ owed: string[] }>(
    `select value -> 'owed' as owed from millrace_setting where name = 'collections'`,
  )
  return rows[0]?.owed ?? []
}

/** What was not taken of hosts until now is to be fetched. */
export async function oweHosts({ pool }: Pick<Database, 'pool'>, hosts: readonly string[]): Promise<void> {
  await pool.query(
    `insert into millrace_setting as s (name, value)
     values ('collections', jsonb_build_object('patterns', $2::jsonb, 'owed', $1::jsonb))
     on conflict (name) do update set updated_at = now(), value = jsonb_set(s.value, '{owed}', (
       select jsonb_agg(distinct host) from jsonb_array_elements((s.value -> 'owed') || (excluded.value -> 'owed')) as host))`,
    [JSON.stringify(hosts), JSON.stringify(CollectionFilter.all.patterns)],
  )
}

/** It is planned, by something that lasts. */
export async function settleOwedHost({ pool }: Pick<Database, 'pool'>, host: string): Promise<void> {
  await pool.query(
    `update millrace_setting set value = jsonb_set(value, '{owed}', (value -> 'owed') - $1::text), updated_at = now()
     where name = 'collections'`,
    [host],
  )
}

async function write(client: { query: (text: string, values: unknown[]) => Promise<unknown> }, setting: Setting) {
  await client.query(
    `insert into millrace_setting (name, value) values ('collections', $1::jsonb)
     on conflict (name) do update set value = excluded.value, updated_at = now() where millrace_setting.value <> excluded.value`,
    [JSON.stringify(setting)],
  )
}
