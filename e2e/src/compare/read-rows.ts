import path from 'node:path'
import type pg from 'pg'
import { readJsonLines } from '../read-json-lines.ts'
import { comparedTables, type Row } from './tables.ts'

/** All rows of the compared tables, as JSON has them. A row without content is a tombstone of an older pipeline. */
export async function readDatabase(pool: pg.Pool, schema: string): Promise<Map<string, Row[]>> {
  const tables = new Map<string, Row[]>()
  for (const table of Object.keys(comparedTables)) {
    const { rows } = await pool.query<{ row: Row }>(`select row_to_json(t) as row from "${schema}"."${table}" t`)
    tables.set(
      table,
      rows.map(({ row }) => row).filter((row) => table !== 'record' || row['json'] !== ''),
    )
  }
  return tables
}

/** The rows that the reference made of a recording; a table without any has no file. */
export async function readExpected(folder: string, which: 'db-replay' | 'db-backfill'): Promise<Map<string, Row[]>> {
  const tables = new Map<string, Row[]>()
  for (const table of Object.keys(comparedTables))
    tables.set(table, await readRows(path.join(folder, 'expected', which, `${table}.jsonl.gz`)))
  return tables
}

async function readRows(file: string): Promise<Row[]> {
  try {
    return await readJsonLines<Row>(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
