import type { AppView } from './open-app-view.ts'

/** What was indexed, as `--exit-when-idle --json` says it. */
export interface AppViewSummary {
  network: string
  /** Accounts with records of the collections, as the relay has listed them, and repos that were fetched. */
  repos: { listed: number; fetched: number }
  /** Records by collection. */
  records: Record<string, number>
  /** What was given up, by reason. */
  deadLetters: Readonly<Record<string, number>>
}

/** Counts all records. */
export async function summarize(appview: AppView, network: string): Promise<AppViewSummary> {
  const { reposListed, reposFetched, deadLetters } = await appview.status()
  const { rows } = await appview.database.pool.query<{ name: string; count: number }>(
    `select split_part(uri, '/', 4) as name, count(*) from record group by 1 order by 1`,
  )
  return {
    network,
    repos: { listed: reposListed, fetched: reposFetched },
    records: Object.fromEntries(rows.map(({ name, count }) => [name, count])),
    deadLetters,
  }
}

/** For people. A function of values. */
export function renderSummary({ network, repos, records, deadLetters }: AppViewSummary): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none'
  return `Everything of ${network} is indexed.
  repos         ${repos.listed} listed that have such records, ${repos.fetched} fetched
  records       ${list(records)}
  dead letters  ${list(deadLetters)}
`
}
