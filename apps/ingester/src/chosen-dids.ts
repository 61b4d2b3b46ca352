import { BY_COLLECTION, type TakenRepos } from '@millrace/database'
import { readDidLines } from '@millrace/runtime'
import type { RepoChoice } from './config.ts'

/**
 * The accounts of `INGESTER_REPOS`; null for all there are, and a word for those that have records of the collections.
 * @throws {ConfigError} when there is no such file, or it holds something else.
 */
export async function chosenDids(repos: RepoChoice): Promise<TakenRepos> {
  if (repos === 'all') return null
  if (repos === 'by-collection') return BY_COLLECTION
  if ('dids' in repos) return new Set(repos.dids)
  const dids = new Set<string>()
  for await (const did of readDidLines(repos.file, 'INGESTER_REPOS')) dids.add(did)
  return dids
}
