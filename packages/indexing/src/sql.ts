import { quoteName, unnestInsert, type UnnestRow, type UnnestType } from '@millrace/database'
import type { Row } from './plugin.ts'
import type { Statement } from './session.ts'
import type { TableShape } from './table-shape.ts'

export { quoteName as quoted }

export interface InsertOptions {
  table: string
  shape: TableShape
  /** At least one; all with the same columns. */
  rows: readonly Row[]
  /** What follows, such as `on conflict do nothing returning uri`. */
  suffix?: string
}

type MakeInsert = (rows: readonly UnnestRow[]) => { text: string; values: unknown[] }
const inserts = new WeakMap<TableShape, Map<string, MakeInsert>>()

/** One statement that inserts many rows, in their order. Its text depends only on table and columns. */
export function insertRows({ table, shape, rows, suffix = '' }: InsertOptions): Statement {
  const columns = Object.keys(rows[0]!)
  const key = `${columns.join(' ')} ${suffix}`
  let known = inserts.get(shape)
  if (!known) inserts.set(shape, (known = new Map()))
  let insert = known.get(key)
  if (!insert) known.set(key, (insert = unnestInsert({ table, columns: columnTypes(table, shape, columns), suffix })))
  // A column that a row lacks is undefined here, which the insert refuses.
  return insert(rows.map((row) => columns.map((column) => row[column]) as UnnestRow))
}

function columnTypes(table: string, shape: TableShape, columns: readonly string[]): Record<string, UnnestType> {
  return Object.fromEntries(
    columns.map((column) => {
      const type = shape.types.get(column)
      if (type === undefined) throw new TypeError(`table ${table} has no column ${column} that can be written`)
      return [column, unnestType(table, column, type)]
    }),
  )
}

function unnestType(table: string, column: string, type: string): UnnestType {
  switch (type) {
    case 'text':
    case 'character varying':
      return 'text'
    case 'boolean':
    case 'integer':
    case 'bigint':
    case 'jsonb':
      return type
    case 'timestamp with time zone':
      return 'timestamptz'
    default:
      throw new TypeError(
        `${table}.${column} is ${type}: plugins write text, boolean, integer, bigint, jsonb and timestamptz`,
      )
  }
}

/** Rows whose `column` is one of `keys`, removed. */
export function deleteRows(table: string, column: string, keys: readonly string[], returning = ''): Statement {
  return {
    text: `delete from ${quoteName(table)} where ${quoteName(column)} = any ($1::text[])${returning && ` returning ${returning}`}`,
    values: [keys],
  }
}
