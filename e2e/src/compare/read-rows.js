import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { comparedTables } from './tables.js'
/** All rows of the compared tables, as JSON has them. A row without content is a tombstone of an older pipeline. */
export async function readDatabase(pool, schema) {
  const tables = new Map()
  for (const table of Object.keys(comparedTables)) {
    const { rows } = await pool.query(`select row_to_json(t) as row from "${schema}"."${table}" t`)
    tables.set(
      table,
      rows.map(({ row }) => row).filter((row) => table !== 'record' || row['json'] !== ''),
    )
  }
  return tables
}
/** The rows that the reference made of a recording; a table without any has no file. */
export async function readExpected(folder, which) {
  const tables = new Map()
  for (const table of Object.keys(comparedTables))
    tables.set(table, await readJsonLines(path.join(folder, 'expected', which, `${table}.jsonl.gz`)))
  return tables
}
async function readJsonLines(file) {
  let packed
  try {
    packed = await readFile(file)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
  const text = (await promisify(gunzip)(packed)).toString()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
//# sourceMappingURL=read-rows.js.map
