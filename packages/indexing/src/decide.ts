import { isGuarded } from '@millrace/failpoints'
import type { Outcome, RecordOp, StoredState } from './record-op.ts'

/** What is to be done with an op: apply it, only note its newer revision, or nothing. */
export type Decision = { do: 'apply' } | { do: 'raise' } | { do: 'nothing'; outcome: Outcome }

/**
 * The op rule (hazard G6): what an operation does given what is stored. The first case that matches wins, so that
 * neither order of arrival nor repetition changes where a record ends.
 */
export function decideOp(op: RecordOp, stored: StoredState): Decision {
  const floor = stored.floors.get(op.did)
  const record = stored.records.get(op.uri)
  const tombstone = isGuarded('tombstone') ? stored.tombstones.get(op.uri) : undefined
  // A version that was refused, and is none any more: whoever refused it has learned, or it was edited. Nothing has come
  // after it, or its tombstone would be newer or gone.
  if (op.action === 'put' && !record && stored.refused.has(op.uri) && op.rev === tombstone) return { do: 'apply' }
  if (floor !== undefined && op.rev <= floor && isGuarded('floor')) return { do: 'nothing', outcome: 'stale' }
  const rev = record ? record.rev : tombstone
  if (rev === undefined || rev === null) {
    // A row without revision was written by an older pipeline: everything is newer than that.
    const same = record && op.action === 'put' && record.cid === op.cid
    return same && !op.reindex ? { do: 'raise' } : { do: 'apply' }
  }
  if (op.rev < rev && isGuarded('rev')) return { do: 'nothing', outcome: 'stale' }
  const same = record ? op.action === 'put' && op.cid === record.cid : op.action === 'remove'
  if (op.rev !== rev || !isGuarded('same-rev')) return same && record ? { do: 'raise' } : { do: 'apply' }
  return { do: 'nothing', outcome: same ? 'duplicate' : 'equivocation' }
}
