import type { Statement } from '../session.ts'
import type { StoredRepos } from './repo-store.ts'
import type { RunPart } from './run-part.ts'

/** Runs that begin with this batch and have everything derived anew. */
export function beginningReindexes(
  runs: ReadonlyMap<string, readonly RunPart[]>,
  { states, runs: stored }: StoredRepos,
): RunPart[] {
  return [...runs.values()].flat().filter(({ did, run, rev, reindex }) => {
    const isOpen = stored.get(did)?.some((open) => open.run === run)
    return reindex && !isOpen && rev >= (states.get(did)?.floor ?? '')
  })
}

/**
 * Forgets which revisions the rows of these repos are of, up to the run's: everything in the run is new then, and what
 * it does not confirm is swept at its end (hazard B20).
 */
export function forgetRevisions(runs: readonly RunPart[]): Statement[] {
  const values = [runs.map((run) => run.did), runs.map((run) => run.rev)]
  const keys = 'unnest($1::text[], $2::text[]) as k(did, rev)'
  return [
    { text: `update record as r set rev = null from ${keys} where r.did = k.did and r.rev <= k.rev`, values },
    { text: `delete from millrace_tombstone as t using ${keys} where t.did = k.did and t.rev <= k.rev`, values },
    { text: `update millrace_repo as m set floor_rev = null from ${keys} where m.did = k.did`, values },
  ]
}
