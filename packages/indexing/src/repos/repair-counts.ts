import type { StreamEvent } from '@millrace/stream-protocol'
import type { RowChanges } from '../plan.ts'
import type { RecordOp, StoredState } from '../record-op.ts'
import type { Statement } from '../session.ts'
import { compareText, uriCollection } from '../values.ts'
import type { RunPart } from './run-part.ts'

type Change = 'created' | 'updated' | 'deleted' | 'unchanged'

/**
 * What the runs of repairs change, for their reports. In the transaction that makes the change, so that each is counted
 * once: what comes again finds its own revision, and changes nothing.
 */
export class RepairCounts {
  readonly #counts = new Map<string, Record<Change, number>>()

  addPlanned(
    { puts, removes, raises }: RowChanges,
    stored: StoredState,
    eventOf: (op: RecordOp) => StreamEvent,
    repairOf: ReadonlyMap<string, number>,
  ): void {
    if (repairOf.size === 0) return
    const repair = (op: RecordOp): number | undefined => {
      const event = eventOf(op)
      return 'repair' in event ? event.repair : undefined
    }
    for (const op of puts) this.#add(repair(op), op.collection, stored.records.has(op.uri) ? 'updated' : 'created')
    for (const op of removes) if (stored.records.has(op.uri)) this.#add(repair(op), op.collection, 'deleted')
    for (const { uri } of raises) this.#add(repairOf.get(uri.split('/', 3)[2]!), uriCollection(uri), 'unchanged')
  }

  addSwept(uris: readonly { uri: string; did: string }[], runs: ReadonlyMap<string, RunPart>): void {
    for (const { uri, did } of uris) this.#add(runs.get(did)?.repair ?? undefined, uriCollection(uri), 'deleted')
  }

  #add(repair: number | undefined, collection: string, change: Change): void {
    if (repair === undefined) return
    const key = `${repair} ${collection}`
    let counts = this.#counts.get(key)
    if (!counts) this.#counts.set(key, (counts = { created: 0, updated: 0, deleted: 0, unchanged: 0 }))
    counts[change] += 1
  }

  statement(): Statement | undefined {
    if (this.#counts.size === 0) return undefined
    const rows = [...this.#counts].sort(([a], [b]) => compareText(a, b))
    return {
      text: `
        insert into millrace_repair_count (repair, collection, created, updated, deleted, unchanged)
        select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
        on conflict (repair, collection) do update set created = millrace_repair_count.created + excluded.created,
          updated = millrace_repair_count.updated + excluded.updated, deleted = millrace_repair_count.deleted + excluded.deleted,
          unchanged = millrace_repair_count.unchanged + excluded.unchanged`,
      values: [
        rows.map(([key]) => Number(key.split(' ', 1)[0])),
        rows.map(([key]) => key.split(' ', 2)[1]),
        ...(['created', 'updated', 'deleted', 'unchanged'] as const).map((change) =>
          rows.map(([, counts]) => counts[change]),
        ),
      ],
    }
  }
}

/** The repair that each account's run in this batch is for. */
export function repairsOf(runs: ReadonlyMap<string, readonly RunPart[]>): Map<string, number> {
  return new Map(
    [...runs].flatMap(([did, parts]) =>
      parts.flatMap(({ repair }) => (repair === null ? [] : [[did, repair] as const])),
    ),
  )
}
