import type { AppView } from '@millrace/appview'
import { readStatuses, type StatusView } from './read-statuses.ts'

/** What was indexed, as `--json` says it. */
export interface Summary {
  network: string
  /** Accounts with records of the collection, as the relay has listed them, and repos that were fetched. */
  repos: { listed: number; fetched: number }
  /** Records by collection. */
  records: Record<string, number>
  /** Rows by table. */
  rows: Record<string, number>
  /** How many have each status, most first. */
  counts: Record<string, number>
  deadLetters: Readonly<Record<string, number>>
  newest: StatusView[]
}

export async function summarize(appview: AppView, network: string): Promise<Summary> {
  const { database } = appview
  const { reposListed, reposFetched, deadLetters } = await appview.status()
  const count = async (sql: string): Promise<Record<string, number>> => {
    const { rows } = await database.pool.query<{ name: string; count: number }>(sql)
    return Object.fromEntries(rows.map((row) => [row.name, row.count]))
  }
  return {
    network,
    repos: { listed: reposListed, fetched: reposFetched },
    records: await count(`select split_part(uri, '/', 4) as name, count(*) from record group by 1 order by 1`),
    rows: await count(
      `select 'actor' as name, count(*) from actor union all select 'status', count(*) from status order by 1`,
    ),
    counts: await count('select status as name, count from status_count where count > 0 order by count desc, status'),
    deadLetters,
    newest: (await readStatuses(database, { limit: 5 }))!.statuses,
  }
}

export function renderSummary({ network, repos, records, rows, counts, deadLetters, newest }: Summary): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  return `Everything of ${network} is indexed.
  repos         ${repos.listed} listed that have statuses, ${repos.fetched} fetched
  records       ${list(records)}
  rows          ${list(rows)}
  statuses      ${list(counts)}
  dead letters  ${list(deadLetters)}
  newest        ${newest.map(({ status, handle, did, createdAt }) => `${status}  ${handle ?? did}  ${createdAt}`).join('\n                ')}
`
}
