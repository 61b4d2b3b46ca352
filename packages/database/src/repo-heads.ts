import type { Database } from './open-database.ts'

/** What the database says of one repo as a whole. */
export interface StoredRepo {
  did: string
  /** Newest commit that is applied; null when none is known. */
  head: string | null
  /** Whether something before it may be missing. */
  broken: boolean
  /** What readers see of the account: null for an active one. */
  status: string | null
}

/** One answer for each account that is asked for, whether or not anything is known of it. */
export async function readStoredRepos({ pool }: Database, dids: readonly string[]): Promise<Map<string, StoredRepo>> {
  const { rows } = await pool.query<StoredRepo>(
    `select k.did, r.head_rev as head, r.broken_rev is not null as broken, a."upstreamStatus" as status
     from unnest($1::text[]) as k(did) left join millrace_repo r using (did) left join actor a using (did)`,
    [dids],
  )
  return new Map(rows.map((row) => [row.did, row]))
}
