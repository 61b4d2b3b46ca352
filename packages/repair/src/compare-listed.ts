import { readListedCollections, readStoredRepos, takenRepos, type Database } from '@millrace/database'
import { allAccounts, type ListPage, type ListSteps } from '@millrace/ingest'
import { comparePage, type ComparedPage, type CompareOptions } from './compare-page.ts'

/**
 * What a repair lists. Where accounts are taken by collection, first those that have records of each, as some of them may
 * not be known yet; then all, as only that list has revisions.
 */
export async function repairSteps(database: Database): Promise<ListSteps> {
  return [...((await readListedCollections(database)) ?? []), ...allAccounts]
}

/** Compares a page with what is stored of its accounts. Those that are not taken are left out. */
export async function compareListed(
  database: Database,
  { events, isByCollection }: ListPage,
  { all, ...interval }: CompareOptions,
): Promise<ComparedPage> {
  const dids = events.map(({ did }) => did)
  const [ours, taken] = await Promise.all([readStoredRepos(database, dids), takenRepos(database, dids)])
  const listed = isByCollection ? events : events.filter(({ did }) => taken.has(did))
  // What is known comes once more, with its revision.
  return comparePage(listed, ours, { ...interval, all: all && !isByCollection })
}
