import { isDeepStrictEqual } from 'node:util'
import type { Database } from '@millrace/database'
import { quoted } from '../sql.ts'

/** A row by its columns, or those of them that matter. */
export type TableRow = { [column: string]: unknown }

/** Rows by table. */
export type TableRows = { [table: string]: TableRow[] }

/**
 * All rows of these tables as Postgres writes them in JSON, in the order of their text.
 * @param ignored Columns to leave out, by table.
 */
export async function readTables(
  { pool }: Database,
  tables: Iterable<string>,
  ignored: { [table: string]: readonly string[] } = {},
): Promise<TableRows> {
  const names = [...new Set(tables)].sort()
  const results = await Promise.all(
    names.map((table) =>
      pool.query<{ row: TableRow }>({
        text: `select to_jsonb(t) - $1::text[] as row from ${quoted(table)} t order by (to_jsonb(t) - $1::text[])::text`,
        values: [ignored[table] ?? []],
      }),
    ),
  )
  return Object.fromEntries(names.map((table, index) => [table, results[index]!.rows.map(({ row }) => row)]))
}

export interface RowDifferences {
  /** Expected rows that none of the actual ones has all columns of. */
  missing: TableRow[]
  /** Actual rows that no expected one stands for. */
  extra: TableRow[]
}

/** Finds an actual row for each expected one, which names only some of the columns. Their order does not matter. */
export function compareRows(actual: readonly TableRow[], expected: readonly TableRow[]): RowDifferences {
  const extra = [...actual]
  const missing: TableRow[] = []
  // Those that name the most columns choose first, so that a vague one does not take the row of a precise one.
  const precise = expected.toSorted((a, b) => Object.keys(b).length - Object.keys(a).length)
  for (const row of precise) {
    const index = extra.findIndex((candidate) => has(candidate, row))
    if (index === -1) missing.push(row)
    else extra.splice(index, 1)
  }
  return { missing, extra }
}

function has(row: TableRow, columns: TableRow): boolean {
  return Object.entries(columns).every(([column, value]) => isDeepStrictEqual(row[column], value))
}
