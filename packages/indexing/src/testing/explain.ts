import { compareRows, type TableRow, type TableRows } from './tables.ts'

/**
 * What of the expected rows is missing, and what is there beside them, for people to read; undefined when they agree.
 * An expected row need not name all columns.
 */
export function explainDifferences(actual: TableRows, expected: TableRows): string | undefined {
  const lines = Object.keys(expected).flatMap((table) => {
    const { missing, extra } = compareRows(actual[table] ?? [], expected[table]!)
    return [
      ...missing.map((row) => `  ${table} lacks ${describeRow(row)}`),
      ...extra.map((row) => `  ${table} has besides ${describeRow(row)}`),
    ]
  })
  return lines.length === 0 ? undefined : lines.join('\n')
}

function describeRow(row: TableRow): string {
  const cells = Object.entries(row).map(([column, value]) => `${column}: ${JSON.stringify(value)}`)
  return `{ ${cells.join(', ')} }`
}
