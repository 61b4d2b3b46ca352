import path from 'node:path'
import { comparedTables, type Row, type Rows } from '@millrace/oracle'
import { readJsonLines } from '../read-json-lines.ts'

/** The rows that the reference made of a recording; a table without any has no file. */
export async function readExpected(folder: string, which: 'db-replay' | 'db-backfill'): Promise<Rows> {
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
