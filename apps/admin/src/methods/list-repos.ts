import { databaseOf, defineMethod, MethodError } from './method.ts'

interface Row {
  did: string
  handle: string | null
  rev: string | null
  state: string
  reason: string | null
  since: Date | null
  attempts: number | null
  next_at: Date | null
  last_error: string | null
}

/** Each reads an index in the order of DIDs, or a table that is short when all is well. */
const sources: Readonly<Record<string, string>> = {
  dirty: `select did, 'dirty' as state, reason, since, attempts, next_at, last_error from millrace_dirty`,
  running: `select distinct on (did) did, 'running' as state, host as reason, opened_at as since, null::int as attempts,
    null::timestamptz as next_at, null::text as last_error from millrace_run`,
  broken: `select did, 'broken' as state, 'follows ' || coalesce(broken_since, 'an unknown revision') as reason, updated_at as since,
    null::int as attempts, null::timestamptz as next_at, null::text as last_error from millrace_repo where broken_rev is not null`,
  hidden: `select did, 'hidden' as state, hidden as reason, requested_at as since, attempts, next_at, last_error
    from millrace_account where hidden is not null`,
  all: `select did, 'known' as state, null::text as reason, updated_at as since, null::int as attempts,
    null::timestamptz as next_at, null::text as last_error from millrace_repo`,
}

export const listRepos = defineMethod({
  name: 'listRepos',
  role: 'viewer',
  run: async ({ state = 'dirty', limit = 50, cursor = '' }, context) => {
    const from = sources[state]
    if (from === undefined)
      throw new MethodError('InvalidRequest', `state is one of ${Object.keys(sources).join(', ')}`)
    // The AppView's tables have an index by another collation than ours: it is used by that alone (hazard M7).
    const { rows } = await databaseOf(context).pool.query<Row>(
      `select k.did, a.handle, r.head_rev as rev, k.state, k.reason, k.since, k.attempts, k.next_at, k.last_error
       from (select * from (${from}) as found where did > $1 order by did collate "C" limit $2) as k
         left join actor a on a.did = k.did collate "default" left join millrace_repo r on r.did = k.did
       order by k.did collate "C"`,
      [cursor, limit],
    )
    return {
      repos: rows.map((row) => ({
        did: row.did,
        state: row.state,
        ...(row.handle !== null && { handle: row.handle }),
        ...(row.rev !== null && { rev: row.rev }),
        ...(row.reason !== null && { reason: row.reason }),
        ...(row.since && { since: row.since.toISOString() }),
        ...(row.attempts !== null && { attempts: row.attempts }),
        // A paused repair's accounts are not fetched at any time.
        ...(isTime(row.next_at) && { nextAt: row.next_at.toISOString() }),
        ...(row.last_error !== null && { lastError: row.last_error }),
      })),
      ...(rows.length === limit && { cursor: rows.at(-1)!.did }),
    }
  },
})

function isTime(value: Date | null): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime())
}
