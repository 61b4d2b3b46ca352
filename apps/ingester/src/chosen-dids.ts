import { readDidLines } from '@millrace/runtime'
import type { RepoChoice } from './config.ts'

/**
 * The accounts of `INGESTER_REPOS`; null for all there are.
 * @throws {ConfigError} when there is no such file, or it holds something else.
 */
export async function chosenDids(repos: RepoChoice): Promise<ReadonlySet<string> | null> {
  if (repos === 'all') return null
  if ('dids' in repos) return new Set(repos.dids)
  const dids = new Set<string>()
  for await (const did of readDidLines(repos.file, 'INGESTER_REPOS')) dids.add(did)
  return dids
}
