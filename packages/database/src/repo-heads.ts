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

/**
 * Accounts that are followed, where they are taken by collection: those of which a commit or a status is known, and those
 * that are to be fetched.
 */
export const isKnownRepo = (did: string): string =>
  `(${['millrace_repo', 'millrace_dirty', 'millrace_account']
    .map((table) => `exists (select from ${table} where ${table}.did = ${did})`)
    .join(' or ')})`

/** Those of some accounts that are followed, where accounts are taken by collection. */
export async function readKnownRepos(
  { pool }: Pick<Database, 'pool'>,
  dids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ did: string }>({
    name: 'millrace_known_repos',
    text: `select did from unnest($1::text[]) as k(did) where ${isKnownRepo('k.did')}`,
    values: [dids],
  })
  return new Set(rows.map(({ did }) => did))
}
