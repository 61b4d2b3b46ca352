import type { Database } from '@millrace/database'

export interface ResyncOptions {
  database: Database
  dids: readonly string[]
  /** Derives all rows anew, also those of records that have not changed. @default false */
  reindex?: boolean
}

/**
 * Has accounts fetched before all others, and at once if they wait already.
 * @returns how many of them were not the next anyway.
 */
export async function markForResync({ database, dids, reindex = false }: ResyncOptions): Promise<number> {
  // A fetch that is under way does not take a mark away that was made after it began.
  const { rowCount } = await database.pool.query(
    `insert into millrace_dirty (did, reason, priority, reindex)
     select did, 'asked', 0, $2 from unnest($1::text[]) as did order by did collate "C"
     on conflict (did) do update set priority = 0, attempts = 0, next_at = now(), updated_at = clock_timestamp(),
       reindex = millrace_dirty.reindex or excluded.reindex
     where ${notNext('millrace_dirty')} or (excluded.reindex and not millrace_dirty.reindex)`,
    [[...new Set(dids)], reindex],
  )
  return rowCount ?? 0
}

/** How many accounts `markForResync` would have fetched sooner, or anew. */
export async function countForResync({ database, dids, reindex = false }: ResyncOptions): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `select count(distinct k.did)::int as count from unnest($1::text[]) as k(did) left join millrace_dirty d using (did)
     where d.did is null or ${notNext('d')} or ($2 and not d.reindex)`,
    [dids, reindex],
  )
  return rows[0]!.count
}

/** One that nobody has taken, and that comes before all others, need not be marked once more. */
function notNext(mark: string): string {
  return `${mark}.priority > 0 or ${mark}.attempts > 0 or ${mark}.next_at > now()`
}
