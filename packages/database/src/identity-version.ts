import type { Database } from './open-database.ts'

/**
 * A word for each account that changes with every event about its identity, in all processes at once: who has looked it
 * up under another word knows something old (hazard D7). Null for an account that nobody has heard of.
 */
export function identityVersion({ pool }: Pick<Database, 'pool'>): (did: string) => Promise<string | null> {
  return async (did) => {
    const { rows } = await pool.query<{ version: string }>({
      name: 'millrace_identity_version',
      text: 'select extract(epoch from requested_at)::text as version from millrace_identity where did = $1',
      values: [did],
    })
    return rows[0]?.version ?? null
  }
}
