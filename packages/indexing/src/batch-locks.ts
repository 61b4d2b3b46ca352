import { isGuarded } from '@millrace/failpoints'
import { lockKey } from '@millrace/database'
import type { RecordOp } from './record-op.ts'
import type { Session, Statement } from './session.ts'
import { quoted } from './sql.ts'

/**
 * What the locks of a batch are called beside its repos: true for those that it takes alone, false for those that it
 * shares with others who only read what is so called.
 */
export type LockNames = ReadonlyMap<string, boolean>

/**
 * First the repos, then the names, each ascending, so that two batches never wait for each other in a circle (hazard
 * X3): who waits for a repo holds no name.
 */
export function takeLocks(dids: readonly string[], names: LockNames = new Map()): Statement {
  const repos = new Map(dids.map((did) => [lockKey('repo', did), true]))
  const others = new Map<bigint, boolean>()
  for (const [name, alone] of names) {
    const key = lockKey('repo', name)
    if (!repos.has(key)) others.set(key, alone || (others.get(key) ?? false))
  }
  const sorted = [...inOrder(repos), ...inOrder(others)]
  return {
    text: `
      select count(case when alone then pg_advisory_xact_lock(key) else pg_advisory_xact_lock_shared(key) end)
      from unnest($1::bigint[], $2::boolean[]) as k(key, alone)`,
    values: [sorted.map(([key]) => key), sorted.map(([, alone]) => alone)],
  }
}

function inOrder(keys: ReadonlyMap<bigint, boolean>): [bigint, boolean][] {
  return isGuarded('lock-order') ? [...keys].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) : [...keys]
}

/**
 * Takes the locks of these records' names. While it waits for them others may come to refer to the records: it lets go
 * of all then and takes them anew, as locks beyond those that are held would be out of order. The caller holds the locks
 * of their repos, so that nothing else about the records changes.
 */
export async function takeNames(session: Session, ops: readonly RecordOp[], names: LockNames): Promise<void> {
  let wanted = names
  while (wanted.size > 0) {
    const [, , ...places] = await session.all([savepoint, takeLocks([], wanted), ...readReferences(ops)])
    const found = namesOf(ops, places)
    const late = [...found].filter(([name, alone]) => alone && wanted.get(name) !== true)
    // Unless it is released, all that follows would be of a transaction within the transaction.
    await session.one(late.length === 0 ? releaseSavepoint : rollbackToSavepoint)
    if (late.length === 0) return
    wanted = new Map([...wanted, ...late])
  }
}

const savepoint: Statement = { text: 'savepoint names', values: [] }
const releaseSavepoint: Statement = { text: 'release savepoint names', values: [] }
const rollbackToSavepoint: Statement = { text: 'rollback to savepoint names', values: [] }

/** Asks for what is stored of these records, and names the locks of their batch by it. */
export async function lockNames(session: Session, ops: readonly RecordOp[]): Promise<LockNames> {
  const places = readPlaces(ops)
  return namesOf(ops, places.length > 0 ? await session.all(places) : [])
}

/**
 * The names of a batch's locks, given what `readPlaces` asked for.
 *
 * A new record that nothing refers to changes only itself: what it depends on it shares. One that is stored, or that
 * others refer to, may change those with it, and has all its names alone. So have records that go; their content is
 * not in the event, and their names are in their rows.
 */
export function namesOf(ops: readonly RecordOp[], places: readonly (readonly object[])[]): LockNames {
  const names = new Map<string, boolean>()
  const known = new Set<string>()
  for (const { record, ...columns } of places.flat() as { record: string; [column: string]: unknown }[]) {
    known.add(record)
    for (const value of Object.values(columns)) if (typeof value === 'string') names.set(value, true)
  }
  for (const op of ops) {
    if (op.action !== 'put' || !op.plugin) continue
    for (const name of op.plugin.locks?.(op.context) ?? []) names.set(name, true)
    for (const name of op.plugin.sharedLocks?.(op.context) ?? [])
      names.set(name, known.has(op.uri) || (names.get(name) ?? false))
  }
  return names
}

/** Asks for all that names the locks of these records. */
export function readPlaces(ops: readonly RecordOp[]): Statement[] {
  return [...readNamedRows(ops), ...readReferences(ops)]
}

/** Reads the names that are in the stored rows of these records: each row with its `record`. */
export function readNamedRows(ops: readonly RecordOp[]): Statement[] {
  const rows = new UrisByPlace()
  for (const { uri, plugin } of ops) {
    if (!plugin?.table) continue
    if (plugin.lockColumns) rows.add(plugin.table, 'uri', plugin.lockColumns, uri)
    for (const { table, owner, lockColumns } of plugin.parts ?? [])
      if (lockColumns) rows.add(table, owner, lockColumns, uri)
  }
  return rows.map(
    (table, key, columns) =>
      `select ${[`${quoted(key)} as record`, ...columns.map(quoted)].join(', ')} from ${quoted(table)} where ${quoted(key)} = any ($1::text[])`,
  )
}

/** Reads which of these records others refer to, by rows that this transaction has not written. */
export function readReferences(ops: readonly RecordOp[]): Statement[] {
  const references = new UrisByPlace()
  for (const { uri, plugin } of ops)
    if (plugin?.table && plugin.referredBy !== undefined) references.add(plugin.table, plugin.referredBy, [], uri)
  return references.map(
    (table, key) =>
      `select record from unnest($1::text[]) as record where exists (select 1 from ${quoted(table)} where ${quoted(key)} = record and xmin <> pg_current_xact_id()::xid)`,
  )
}

type PlaceText = (table: string, key: string, columns: readonly string[]) => string

class UrisByPlace {
  readonly #places = new Map<string, { key: string; columns: readonly string[]; uris: string[] }>()

  add(table: string, key: string, columns: readonly string[], uri: string): void {
    const place = this.#places.get(table)
    if (place) place.uris.push(uri)
    else this.#places.set(table, { key, columns, uris: [uri] })
  }

  map(text: PlaceText): Statement[] {
    return [...this.#places].map(([table, { key, columns, uris }]) => ({
      text: text(table, key, columns),
      values: [uris],
    }))
  }
}
