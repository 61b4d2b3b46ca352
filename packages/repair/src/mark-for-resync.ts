import type { Database } from '@millrace/database'

export interface ResyncOptions {
  database: Database
  dids: readonly string[]
  /** Derives all rows anew, also those of records that have not changed. @default false */
  reindex?: boolean
}

/** Has accounts fetched before all others, and at once if they wait already. */
export async function markForResync({ database, dids, reindex = false }: ResyncOptions): Promise<void> {
  // A fetch that is under way does not take a mark away that was made after it began.
  await database.pool.query(
    `insert into millrace_dirty (did, reason, priority, reindex)
     select did, 'asked', 0, $2 from unnest($1::text[]) as did order by did collate "C"
     on conflict (did) do update set priority = 0, attempts = 0, next_at = now(), updated_at = clock_timestamp(),
       reindex = millrace_dirty.reindex or excluded.reindex`,
    [[...new Set(dids)], reindex],
  )
}
