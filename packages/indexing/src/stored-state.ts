import { lockKey } from '@millrace/database'
import type { Session, Statement } from './session.ts'
import type { RecordOp, StoredState } from './record-op.ts'
import { quoted } from './sql.ts'

/**
 * Takes the locks of a batch and reads what its decisions hang on, in one round trip. Whoever else writes to one of
 * these repos waits until we are done; the statements after the lock see all that was committed before it.
 */
export async function lockAndRead(
  session: Session,
  dids: Iterable<string>,
  names: Iterable<string>,
  ops: readonly RecordOp[],
): Promise<StoredState & { deleted: ReadonlySet<string> }> {
  const allDids = [...new Set(dids)]
  const uris = ops.map((op) => op.uri)
  const [, records, tombstones, repos, deleted] = await session.all([
    takeLocks(allDids, names),
    { text: `select uri, rev, cid, json = '' as blank from record where uri = any ($1::text[])`, values: [uris] },
    { text: 'select uri, rev from millrace_tombstone where uri = any ($1::text[])', values: [uris] },
    {
      text: 'select did, floor_rev as floor from millrace_repo where did = any ($1::text[]) and floor_rev is not null',
      values: [allDids],
    },
    {
      text: `select did from millrace_account_status where did = any ($1::text[]) and not active and status = 'deleted' and seq >= 0`,
      values: [allDids],
    },
  ] as const)
  const live = records as { uri: string; rev: string | null; cid: string; blank: boolean }[]
  const state = {
    records: new Map<string, { rev: string | null; cid: string }>(),
    tombstones: new Map((tombstones as { uri: string; rev: string }[]).map(({ uri, rev }) => [uri, rev])),
    floors: new Map((repos as { did: string; floor: string }[]).map(({ did, floor }) => [did, floor])),
    deleted: new Set((deleted as { did: string }[]).map(({ did }) => did)),
  }
  for (const { uri, rev, cid, blank } of live) {
    // A row that an older pipeline blanked is a tombstone, whatever table it stands in.
    if (blank) state.tombstones.set(uri, rev ?? '')
    else state.records.set(uri, { rev, cid })
  }
  return state
}

/** Ascending, so that two batches never wait for each other in a circle (hazard X3). */
function takeLocks(dids: readonly string[], names: Iterable<string>): Statement {
  const keys = new Set<bigint>(dids.map((did) => lockKey('repo', did)))
  for (const name of names) keys.add(lockKey('repo', name))
  const sorted = [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return { text: 'select count(pg_advisory_xact_lock(key)) from unnest($1::bigint[]) as key', values: [sorted] }
}

/**
 * What the locks of a batch are called beside its repos. Records that go are asked for by the rows they have: their
 * content is not in the event.
 */
export async function lockNames(session: Session, ops: readonly RecordOp[]): Promise<Set<string>> {
  const names = new Set<string>()
  const byTable = new Map<string, { columns: readonly string[]; uris: string[] }>()
  for (const op of ops) {
    if (op.action === 'put') for (const name of op.plugin?.locks?.(op.context) ?? []) names.add(name)
    else if (op.plugin?.table && op.plugin.lockColumns) {
      const entry = byTable.get(op.plugin.table) ?? { columns: op.plugin.lockColumns, uris: [] }
      entry.uris.push(op.uri)
      byTable.set(op.plugin.table, entry)
    }
  }
  if (byTable.size === 0) return names
  const results = await session.all(
    [...byTable].map(([table, { columns, uris }]) => ({
      text: `select ${columns.map(quoted).join(', ')} from ${quoted(table)} where uri = any ($1::text[])`,
      values: [uris],
    })),
  )
  for (const row of results.flat())
    for (const value of Object.values(row)) if (typeof value === 'string') names.add(value)
  return names
}
