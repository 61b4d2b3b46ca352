import type pg from 'pg'
import { findAnomalies, type Anomaly } from './anomalies.ts'
import { expectedRows, type Observed, type OracleOptions } from './expected-rows.ts'
import { readDatabase } from './read-database.ts'
import type { Rows } from './tables.ts'

export interface CompareWithOracleOptions extends Omit<OracleOptions, keyof Observed> {
  pool: pg.Pool
  schema: string
  /** What is known of the way; the rest is taken as the database has it. */
  observed?: Partial<Observed>
}

/** Where a database is not what its network must end in, by name. Empty when all is well. */
export async function compareWithOracle({
  pool,
  schema,
  observed,
  ...options
}: CompareWithOracleOptions): Promise<Anomaly[]> {
  const actual = await readDatabase(pool, schema)
  return findAnomalies(expectedRows({ ...observe(actual, options.now), ...observed, ...options }), actual)
}

/** What only history tells, as the database has it: everything else has to agree with that. */
function observe(actual: Rows, now: number): Observed {
  const seen = new Map((actual.get('record') ?? []).map((row) => [row['uri'], String(row['indexedAt'])]))
  const posts = actual.get('post') ?? []
  const forbidden = new Set(posts.filter((row) => row['violatesThreadGate'] === true).map((row) => row['uri']))
  return {
    seenAt: (uri) => seen.get(uri) ?? new Date(now).toISOString(),
    wasForbidden: (uri) => forbidden.has(uri),
  }
}
