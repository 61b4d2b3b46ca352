import { decideOp } from './decide.ts'
import type { RecordPlugin } from './plugin.ts'
import type { Outcome, PutOp, RecordOp, RemoveOp, StoredState } from './record-op.ts'

/** What a batch does to records. Everything is in byte order of the URI. */
export interface RowChanges {
  /** Records to write. */
  puts: PutOp[]
  /** Records to remove, leaving a tombstone. */
  removes: RemoveOp[]
  /** Live records that a put or a remove takes the place of, by plugin: their rows go first (hazard X2). */
  replaced: Map<RecordPlugin, string[]>
  /** Records whose content is confirmed at a newer revision. */
  raises: { uri: string; rev: string }[]
  /** Tombstones that a put overrules. */
  revived: string[]
}

/** Decides every op against what is stored. A function of values. */
export function planChanges(
  ops: readonly RecordOp[],
  stored: StoredState,
): { changes: RowChanges; outcomes: Map<RecordOp, Outcome> } {
  const changes: RowChanges = { puts: [], removes: [], replaced: new Map(), raises: [], revived: [] }
  const outcomes = new Map<RecordOp, Outcome>()
  for (const op of ops) {
    const decision = decideOp(op, stored)
    if (decision.do === 'nothing') {
      outcomes.set(op, decision.outcome)
      continue
    }
    if (decision.do === 'raise') {
      changes.raises.push({ uri: op.uri, rev: op.rev })
      outcomes.set(op, 'duplicate')
      continue
    }
    if (op.plugin && stored.records.has(op.uri)) {
      const uris = changes.replaced.get(op.plugin)
      if (uris) uris.push(op.uri)
      else changes.replaced.set(op.plugin, [op.uri])
    }
    if (op.action === 'put') {
      changes.puts.push(op)
      if (stored.tombstones.has(op.uri)) changes.revived.push(op.uri)
      outcomes.set(op, 'applied')
    } else {
      changes.removes.push(op)
      outcomes.set(op, op.invalid === undefined ? 'applied' : 'invalid')
    }
  }
  return { changes, outcomes }
}
