import type { Database } from './open-database.ts'

/** Accounts that are released in one step. */
const BATCH = 1_000

/** Notes accounts of which records of paused collections were not made rows of their table. For one or more. */
export function pausedRepoStatement(repos: readonly { collection: string; did: string }[]): {
  text: string
  values: unknown[]
} {
  return {
    text: `insert into millrace_paused_repo (collection, did)
      select * from unnest($1::text[], $2::text[]) as k(collection, did) order by 1, 2 on conflict do nothing`,
    values: [repos.map(({ collection }) => collection), repos.map(({ did }) => did)],
  }
}

/**
 * Has accounts fetched, and all their rows derived anew, that were passed over for a collection that is no longer paused.
 * They are marked in the step in which their note goes, so that no crash loses one.
 * @returns how many; there may be more.
 */
export async function releasePausedRepos({ pool }: Pick<Database, 'pool'>): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({
    name: 'millrace_release_paused',
    text: `
      with released as (
        delete from millrace_paused_repo where (collection, did) in (
          select collection, did from millrace_paused_repo r
          where not exists (
            select from millrace_pause p
            where p.kind = 'collection' and p.name = r.collection and (p.until is null or p.until > now())
          )
          limit ${BATCH} for update skip locked
        ) returning did
      ), marked as (
        insert into millrace_dirty (did, reason, priority, reindex)
        select distinct did, 'paused', 2, true from released order by did
        on conflict (did) do update set reindex = true, next_at = least(millrace_dirty.next_at, now()),
          priority = least(millrace_dirty.priority, excluded.priority), updated_at = clock_timestamp()
      )
      select count(*)::int as count from released`,
  })
  return rows[0]!.count
}

/** Accounts that wait for a collection to be resumed, at most so many of each. */
export async function countPausedRepos({ pool }: Pick<Database, 'pool'>, atMost: number): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    `select name, (select count(*)::int from (select from millrace_paused_repo where collection = name limit $1) as held) as count
     from millrace_pause where kind = 'collection'`,
    [atMost],
  )
  return new Map(rows.map(({ name, count }) => [name, count]))
}
