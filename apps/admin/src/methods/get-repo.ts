import type { GetRepoOutput } from '@millrace/admin-api'
import { databaseOf, defineMethod, MethodError, type MethodContext } from './method.ts'

/** Of a repo's records so many are counted (hazard M7). */
const MOST_RECORDS = 10_000

export const getRepo = defineMethod({
  name: 'getRepo',
  role: 'viewer',
  run: async ({ did }, context) => {
    const [{ isKnown, ...repo }, statuses, mark, runs] = await Promise.all([
      readHead(did, context),
      readStatuses(did, context),
      readMark(did, context),
      readRuns(did, context),
    ])
    if (!isKnown && statuses.length === 0 && !mark && runs.length === 0)
      throw new MethodError('NotFound', `nothing is known of ${did}`)
    return { did, ...repo, statuses, ...(mark && { mark }), runs }
  },
})

/** Every part is found by the account, in an index. */
async function readHead(did: string, context: MethodContext) {
  const { rows } = await databaseOf(context).pool.query<{
    isKnown: boolean
    handle: string | null
    rev: string | null
    root: string | null
    isBroken: boolean | null
    brokenSince: string | null
    hidden: string | null
    records: number
    deadLetters: number
    pausedCollections: string[]
  }>(
    `select a.did is not null or r.did is not null or q.did is not null as "isKnown", a.handle, r.head_rev as rev,
       r.head_data as root, r.broken_rev is not null as "isBroken", r.broken_since as "brokenSince", q.hidden,
       (select count(*)::int from (select from record where did = $1 limit ${MOST_RECORDS}) as held) as records,
       (select count(*)::int from millrace_dead_letter where did = $1 and state = 'kept') as "deadLetters",
       array(select collection from millrace_paused_repo p
         where collection in (select name from millrace_pause where kind = 'collection') and p.did = $1 order by 1
       ) as "pausedCollections"
     from (values ($1)) as k(did)
       left join actor a using (did) left join millrace_repo r using (did) left join millrace_account q using (did)`,
    [did],
  )
  const { handle, rev, root, isBroken, brokenSince, hidden, ...rest } = rows[0]!
  return {
    ...rest,
    ...(handle !== null && { handle }),
    ...(rev !== null && { rev }),
    ...(root !== null && { root }),
    ...(isBroken && { brokenSince: brokenSince ?? '' }),
    ...(hidden !== null && { hidden }),
  }
}

async function readStatuses(did: string, context: MethodContext): Promise<GetRepoOutput['statuses']> {
  const { rows } = await databaseOf(context).pool.query<{
    host: string
    active: boolean
    status: string | null
    time: string
  }>('select host, active, status, time from millrace_account_status where did = $1 order by host', [did])
  return rows.map(({ status, ...rest }) => ({ ...rest, ...(status !== null && { status }) }))
}

async function readMark(did: string, context: MethodContext): Promise<GetRepoOutput['mark']> {
  const { rows } = await databaseOf(context).pool.query<{
    reason: string
    since: Date
    nextAt: Date | null
    attempts: number
    lastError: string | null
    reindex: boolean
  }>(
    `select reason, since, case when isfinite(next_at) then next_at end as "nextAt", attempts, last_error as "lastError", reindex
     from millrace_dirty where did = $1`,
    [did],
  )
  const [mark] = rows
  if (!mark) return undefined
  const { reason, since, nextAt, attempts, lastError, reindex } = mark
  return {
    reason,
    since: since.toISOString(),
    attempts,
    reindex,
    ...(nextAt && { nextAt: nextAt.toISOString() }),
    ...(lastError !== null && { lastError }),
  }
}

async function readRuns(did: string, context: MethodContext): Promise<GetRepoOutput['runs']> {
  const { rows } = await databaseOf(context).pool.query<{
    host: string | null
    rev: string
    openedAt: Date
    records: number | null
  }>(
    `select host, rev, opened_at as "openedAt", records from millrace_run where did = $1 order by opened_at limit 20`,
    [did],
  )
  return rows.map(({ host, rev, openedAt, records }) => ({
    rev,
    openedAt: openedAt.toISOString(),
    ...(host !== null && { host }),
    ...(records !== null && { records }),
  }))
}
