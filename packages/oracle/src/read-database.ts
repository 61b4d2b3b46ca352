import type pg from 'pg'
import { comparedTables, type Row, type Rows } from './tables.ts'

/** All rows of the compared tables, as JSON has them. A row without content is a tombstone of an older pipeline. */
export async function readDatabase(pool: pg.Pool, schema: string): Promise<Rows> {
  const tables = Object.keys(comparedTables)
  // One statement, and so one moment.
  const { rows } = await pool.query<{ table: string; rows: Row[] }>(
    tables
      .map((table) => `select '${table}' as "table", coalesce(json_agg(t), '[]') as rows from "${schema}"."${table}" t`)
      .join(' union all '),
  )
  return new Map(rows.map(({ table, rows }) => [table, rows.filter((row) => table !== 'record' || row['json'] !== '')]))
}
