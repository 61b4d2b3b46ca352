import { isGuarded } from '@millrace/failpoints'
import type { RecordPlugin, PluginMap } from '../plugin.ts'
import type { RowChanges } from '../plan.ts'
import type { RemoveOp } from '../record-op.ts'
import type { Session, Statement } from '../session.ts'
import { uriCollection, uriRkey } from '../values.ts'
import type { ClosedRun } from './run-part.ts'

/** Records that one transaction sweeps at most: short enough not to hold up others. */
const SWEEP_LIMIT = 1_000

export interface Sweep {
  /** Records that are in no snapshot of their repo, though they are older than it (hazard B11). */
  removes: RemoveOp[]
  /** Accounts that have none left after these. */
  finished: ReadonlySet<string>
}

/**
 * Finds what complete runs leave over: every record of a run has its revision, or a newer one, so what has an older one
 * is not in the repo any longer. Sees what this transaction has written before.
 */
export async function findSwept(
  session: Session,
  runs: readonly ClosedRun[],
  { plugins, now, limit = SWEEP_LIMIT }: { plugins: PluginMap; now: string; limit?: number },
): Promise<Sweep> {
  if (!isGuarded('sweep')) return { removes: [], finished: new Set(runs.map((run) => run.did)) }
  if (runs.length === 0) return { removes: [], finished: new Set() }
  const rows = await session.one<{ uri: string; did: string; rev: string }>({
    text: `
      select r.uri, r.did, k.rev from unnest($1::text[], $2::text[]) as k(did, rev) join record r on r.did = k.did
      where r.rev is null or r.rev < k.rev order by k.did collate "C" limit $3`,
    values: [runs.map((run) => run.did), runs.map((run) => run.rev), limit + 1],
  })
  const taken = rows.slice(0, limit)
  const finished = new Set(runs.map((run) => run.did))
  if (rows.length > limit) {
    // Accounts come in order: of those after the last one we have seen nothing.
    const last = rows[limit]!.did
    for (const { did } of runs) if (did >= last) finished.delete(did)
  }
  return { removes: taken.map((row) => removeOf(row, now, plugins)), finished }
}

/** The removal of a record whose content is not at hand. */
export function removeOf(
  { uri, did, rev }: { uri: string; did: string; rev: string },
  indexedAt: string,
  plugins: PluginMap,
): RemoveOp {
  const collection = uriCollection(uri)
  return { action: 'remove', uri, did, collection, rkey: uriRkey(uri), rev, indexedAt, plugin: plugins.get(collection) }
}

/** Changes that only remove. */
export function removalOf(removes: RemoveOp[]): RowChanges {
  const replaced = new Map<RecordPlugin, string[]>()
  for (const { plugin, uri } of removes) {
    if (!plugin) continue
    const uris = replaced.get(plugin)
    if (uris) uris.push(uri)
    else replaced.set(plugin, [uri])
  }
  return { puts: [], removes, replaced, raises: [], revived: [] }
}

/**
 * Once a floor is set, marks of deletions up to it say nothing that the floor does not say (hazard G7). Those of records
 * that are there and invalid say why they have no row.
 */
export function purgeTombstones(runs: readonly ClosedRun[]): Statement | undefined {
  if (runs.length === 0) return undefined
  return {
    text: 'delete from millrace_tombstone as t using unnest($1::text[], $2::text[]) as k(did, rev) where t.did = k.did and t.rev <= k.rev and (not t.invalid or t.rev < k.rev)',
    values: [runs.map((run) => run.did), runs.map((run) => run.rev)],
  }
}

/** Accounts that were to be fetched again, and are up to date: at the revision asked for, or for the very mark that is stored. */
export function clearDirty(runs: readonly ClosedRun[]): Statement | undefined {
  if (runs.length === 0) return undefined
  return {
    text: `
      with gone as (
        delete from millrace_dirty as d using unnest($1::text[], $2::text[], $3::text[]) as k(did, rev, mark)
        where d.did = k.did and (d.rev <= k.rev or extract(epoch from d.updated_at)::text = k.mark) returning d.did
      )
      update millrace_repo as r set resynced_at = now(),
        resync_streak = case when r.resynced_at > now() - interval '6 hours' then r.resync_streak + 1 else 1 end
      from gone where r.did = gone.did`,
    values: [runs.map((run) => run.did), runs.map((run) => run.rev), runs.map((run) => run.closing.mark)],
  }
}
