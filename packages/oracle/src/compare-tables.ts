import { canonicalJson } from './json.ts'
import type { ComparedTable, Row } from './tables.ts'

export interface Difference {
  table: string
  /** The key columns' values, joined. */
  key: string
  /** `missing`: expected, not there. `extra`: there, not expected. `changed`: other values in `columns`. */
  kind: 'missing' | 'extra' | 'changed'
  columns: { name: string; expected: unknown; actual: unknown }[]
  expected?: Row
  actual?: Row
}

export interface TableComparison {
  table: string
  expected: number
  actual: number
  differences: Difference[]
}

/** Compares the rows of one table. A function of values. */
export function compareTable(
  table: string,
  { key, clock = [], json = [], isEmpty }: ComparedTable,
  expected: readonly Row[],
  actual: readonly Row[],
): TableComparison {
  const byKey = (rows: readonly Row[]): Map<string, Row> =>
    new Map(rows.filter((row) => !isEmpty?.(row)).map((row) => [keyOf(key.map((column) => row[column])), row]))
  const wanted = byKey(expected)
  const found = byKey(actual)
  const differences: Difference[] = []
  for (const [id, row] of wanted) {
    const other = found.get(id)
    if (!other) {
      differences.push({ table, key: id, kind: 'missing', columns: [], expected: row })
      continue
    }
    // The expectation names the columns: others are ours, and its readers pass over them.
    const columns = Object.keys(row)
      .filter((column) => !same(row, other, column, { clock, json }))
      .map((name) => ({ name, expected: row[name], actual: other[name] }))
    if (columns.length > 0) differences.push({ table, key: id, kind: 'changed', columns, expected: row, actual: other })
  }
  for (const [id, row] of found)
    if (!wanted.has(id)) differences.push({ table, key: id, kind: 'extra', columns: [], actual: row })
  return { table, expected: wanted.size, actual: found.size, differences }
}

/** Keys are text; a missing part of one is none. */
export function keyOf(values: readonly unknown[]): string {
  return values
    .map((value) => (typeof value === 'string' ? value : isMissing(value) ? '' : JSON.stringify(value)))
    .join(' ')
}

function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function same(
  expected: Row,
  actual: Row,
  column: string,
  { clock, json }: Required<Pick<ComparedTable, 'clock' | 'json'>>,
): boolean {
  if (clock.includes(column)) return (expected[column] === null) === (actual[column] === null)
  const form = (value: unknown): string =>
    json.includes(column) && typeof value === 'string' ? canonicalJson(JSON.parse(value)) : JSON.stringify(value)
  return form(expected[column]) === form(actual[column])
}
