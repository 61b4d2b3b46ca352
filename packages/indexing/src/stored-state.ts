import { isGuarded } from '@millrace/failpoints'
import { lockKey } from '@millrace/database'
import type { HeldAccount } from './accounts/account-state.ts'
import { hiddenAccounts, readHidden } from './accounts/stored-account.ts'
import type { Session, Statement } from './session.ts'
import type { RecordOp, StoredState } from './record-op.ts'
import { readRepos, storedRepos, type StoredRepos } from './repos/repo-store.ts'
import { quoted } from './sql.ts'

/**
 * Takes the locks of a batch and reads what its decisions hang on, in one round trip. Whoever else writes to one of
 * these repos waits until we are done; the statements after the lock see all that was committed before it.
 */
export async function lockAndRead(
  session: Session,
  dids: Iterable<string>,
  names: ReadonlySet<string>,
  ops: readonly RecordOp[],
): Promise<StoredState & { hidden: ReadonlyMap<string, HeldAccount>; repos: StoredRepos }> {
  const allDids = [...new Set(dids)]
  const uris = ops.map((op) => op.uri)
  const [, records, tombstones, repoRows, commits, runs, hidden, ...places] = await session.all([
    takeLocks(allDids, names),
    { text: `select uri, rev, cid, json = '' as blank from record where uri = any ($1::text[])`, values: [uris] },
    { text: 'select uri, rev, invalid from millrace_tombstone where uri = any ($1::text[])', values: [uris] },
    ...readRepos(allDids),
    readHidden(allDids),
    ...namesOfRows(ops),
  ])
  // Rows that go because others take their place, or that were changed until we had the lock. Few, if any: these locks
  // are out of order, and Postgres ends a circle of waiting for us.
  const late = [...textsIn(places)].filter((name) => !names.has(name))
  if (late.length > 0) await session.one(takeLocks([], late))
  const repos = storedRepos(repoRows, commits, runs)
  const live = records as { uri: string; rev: string | null; cid: string; blank: boolean }[]
  const gone = tombstones as { uri: string; rev: string; invalid: boolean }[]
  const state = {
    records: new Map<string, { rev: string | null; cid: string }>(),
    tombstones: new Map(gone.map(({ uri, rev }) => [uri, rev])),
    refused: new Set(gone.filter(({ invalid }) => invalid).map(({ uri }) => uri)),
    floors: new Map([...repos.states].flatMap(([did, { floor }]) => (floor === null ? [] : [[did, floor] as const]))),
    repos,
    hidden: hiddenAccounts(hidden as Parameters<typeof hiddenAccounts>[0]),
  }
  for (const { uri, rev, cid, blank } of live) {
    // A row that an older pipeline blanked is a tombstone, whatever table it stands in.
    if (blank) state.tombstones.set(uri, rev ?? '')
    else state.records.set(uri, { rev, cid })
  }
  return state
}

/** Ascending, so that two batches never wait for each other in a circle (hazard X3). */
export function takeLocks(dids: readonly string[], names: Iterable<string>): Statement {
  const keys = new Set<bigint>(dids.map((did) => lockKey('repo', did)))
  for (const name of names) keys.add(lockKey('repo', name))
  const sorted = isGuarded('lock-order') ? [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : [...keys]
  return { text: 'select count(pg_advisory_xact_lock(key)) from unnest($1::bigint[]) as key', values: [sorted] }
}

/**
 * What the locks of a batch are called beside its repos. Records that go are asked for by the rows they have: their
 * content is not in the event.
 */
export async function lockNames(session: Session, ops: readonly RecordOp[]): Promise<Set<string>> {
  const removes = namesOfRows(ops.filter((op) => op.action === 'remove'))
  const names = textsIn(removes.length > 0 ? await session.all(removes) : [])
  for (const op of ops)
    if (op.action === 'put') for (const name of op.plugin?.locks?.(op.context) ?? []) names.add(name)
  return names
}

/** Reads the names that are in the rows of these records, as far as they have any. */
function namesOfRows(ops: readonly RecordOp[]): Statement[] {
  const byTable = new Map<string, { owner: string; columns: readonly string[]; uris: string[] }>()
  const add = (table: string, owner: string, columns: readonly string[], uri: string): void => {
    const entry = byTable.get(table)
    if (entry) entry.uris.push(uri)
    else byTable.set(table, { owner, columns, uris: [uri] })
  }
  for (const { uri, plugin } of ops) {
    if (plugin?.table && plugin.lockColumns) add(plugin.table, 'uri', plugin.lockColumns, uri)
    for (const { table, owner, lockColumns } of plugin?.parts ?? [])
      if (lockColumns) add(table, owner, lockColumns, uri)
  }
  return [...byTable].map(([table, { owner, columns, uris }]) => ({
    text: `select ${columns.map(quoted).join(', ')} from ${quoted(table)} where ${quoted(owner)} = any ($1::text[])`,
    values: [uris],
  }))
}

function textsIn(results: readonly (readonly object[])[]): Set<string> {
  const texts = results.flat().flatMap((row) => Object.values(row) as unknown[])
  return new Set(texts.filter((value) => typeof value === 'string'))
}
