import { compareTable, type Difference } from './compare-tables.ts'
import { comparedTables, type ComparedTable, type Row, type Rows } from './tables.ts'

/**
 * What a wrong row is a sign of.
 *
 * - `lost`: something is not there
 * - `zombie`: something is there that is gone
 * - `stale`: an older version
 * - `orphan`: a record without its row, or a row without its record
 * - `misderived`: what hangs on other records is not what they lead to
 * - `miscount`: a count is not what counting gives
 * - `double-notified`: somebody is told twice
 */
export type AnomalyKind = 'lost' | 'zombie' | 'stale' | 'orphan' | 'misderived' | 'miscount' | 'double-notified'

export interface Anomaly {
  kind: AnomalyKind
  table: string
  /** The key columns' values, joined. */
  key: string
  /** What differs; empty for whole rows. */
  columns: Difference['columns']
}

/** Tables whose rows are there for themselves. */
const ofNoRecord = new Set(['actor', 'actor_sync', 'label'])
/** Tables in which a record has a row or not as other records have it. */
const hangsOnOthers = new Set(['notification', 'duplicate_record'])

/**
 * Tables as the oracle has them: times too, which it was told. It knows no more than the end: not which labels are gone
 * that once were, nor which replies.
 */
const oracleTables: Readonly<Record<string, ComparedTable>> = {
  ...Object.fromEntries(Object.entries(comparedTables).map(([table, spec]) => [table, { ...spec, clock: [] }])),
  label: { ...comparedTables['label']!, isEmpty: (row: Row) => row['neg'] === true },
  op_thread_reply: { ...comparedTables['op_thread_reply']!, isEmpty: (row: Row) => row['deletedAt'] !== null },
}

/** Where the rows of a database are not those that are expected, by name. A function of values. */
export function findAnomalies(expected: Rows, actual: Rows): Anomaly[] {
  const cids = { expected: cidsOf(expected), actual: cidsOf(actual) }
  const differences = Object.entries(oracleTables).flatMap(
    ([table, spec]) => compareTable(table, spec, expected.get(table) ?? [], actual.get(table) ?? []).differences,
  )
  return [
    ...differences.map((difference) => ({
      kind: anomalyOf(difference, cids),
      table: difference.table,
      key: difference.key,
      columns: difference.columns,
    })),
    ...toldTwice(actual.get('notification') ?? []),
  ]
}

interface Cids {
  expected: ReadonlyMap<unknown, unknown>
  actual: ReadonlyMap<unknown, unknown>
}

function cidsOf(rows: Rows): ReadonlyMap<unknown, unknown> {
  return new Map((rows.get('record') ?? []).map((row) => [row['uri'], row['cid']]))
}

function anomalyOf({ table, kind, expected, actual }: Difference, cids: Cids): AnomalyKind {
  if (table === 'post_agg' || table === 'profile_agg') return 'miscount'
  if (ofNoRecord.has(table)) return { missing: 'lost', extra: 'zombie', changed: 'stale' }[kind] as AnomalyKind
  const uri = recordOf(table, (expected ?? actual)!)
  if (!cids.actual.has(uri)) return kind === 'missing' ? 'lost' : table === 'record' ? 'zombie' : 'orphan'
  if (!cids.expected.has(uri)) return 'zombie'
  if (cids.actual.get(uri) !== cids.expected.get(uri)) return 'stale'
  return kind === 'missing' && !hangsOnOthers.has(table) ? 'orphan' : 'misderived'
}

/** The record that led to a row. */
function recordOf(table: string, row: Row): unknown {
  return row[table === 'notification' ? 'recordUri' : table.startsWith('post_embed_') ? 'postUri' : 'uri']
}

function toldTwice(notifications: readonly Row[]): Anomaly[] {
  const nameOf = ({ did, recordUri, reason }: Row): string => [did, recordUri, reason].join(' ')
  return [...Map.groupBy(notifications, nameOf)]
    .filter(([, rows]) => rows.length > 1)
    .map(([key]) => ({ kind: 'double-notified', table: 'notification', key, columns: [] }))
}

/** One line for each, for people. */
export function renderAnomalies(anomalies: readonly Anomaly[]): string {
  return anomalies
    .map(({ kind, table, key, columns }) => {
      const values = columns.map(
        ({ name, expected, actual }) => `${name}: ${JSON.stringify(expected)} → ${JSON.stringify(actual)}`,
      )
      return [kind, table, key, values.join(', ')].join(' ').trimEnd().slice(0, 500)
    })
    .join('\n')
}
