import type { Database } from '@millrace/database'
import type { SimulatedNetwork } from '@millrace/dev-network'
import { comparedTables, compareTable, readDatabase, type Row, type Rows } from '@millrace/oracle'

export interface DatabaseComparison {
  /** Rows of each, over all tables that a pipeline fills. */
  rows: { first: number; second: number }
  /** Rows that only one has, or that say something else in the other, by table. */
  differing: Record<string, number>
  /** Records that are in a repo and not in a database. */
  missing: { first: number; second: number }
}

/**
 * What tells how a row came, and not what it says: a record that was read from a whole repo has the revision of that
 * repo, one from the firehose that of its commit. A reply that was deleted leaves its place in the thread, with whoever
 * has seen it.
 */
const tables = {
  ...comparedTables,
  record: { ...comparedTables['record']!, clock: ['indexedAt', 'rev'] },
  op_thread_reply: { ...comparedTables['op_thread_reply']!, isEmpty: (row: Row) => row['deletedAt'] !== null },
}

export interface CompareDatabasesOptions {
  first: Database
  second: Database
  network: SimulatedNetwork
}

/** Compares all rows of two databases with each other, and their records with the repos of the network. */
export async function compareDatabases({
  first,
  second,
  network,
}: CompareDatabasesOptions): Promise<DatabaseComparison> {
  const [ours, theirs] = await Promise.all([first, second].map(({ pool, schema }) => readDatabase(pool, schema)))
  const uris = network.records().map(({ uri }) => uri)
  return compareRows({ first: ours!, second: theirs!, uris })
}

export interface CompareRowsOptions {
  first: Rows
  second: Rows
  /** Those of all records that there should be. */
  uris: readonly string[]
}

export function compareRows({ first, second, uris }: CompareRowsOptions): DatabaseComparison {
  const comparison: DatabaseComparison = {
    rows: { first: 0, second: 0 },
    differing: {},
    missing: { first: missing(uris, first), second: missing(uris, second) },
  }
  for (const [name, table] of Object.entries(tables)) {
    const compared = compareTable(name, table, first.get(name) ?? [], second.get(name) ?? [])
    comparison.rows.first += compared.expected
    comparison.rows.second += compared.actual
    if (compared.differences.length > 0) comparison.differing[name] = compared.differences.length
  }
  return comparison
}

function missing(uris: readonly string[], rows: Rows): number {
  const present = new Set(rows.get('record')?.map((row) => row['uri']))
  return uris.filter((uri) => !present.has(uri)).length
}
