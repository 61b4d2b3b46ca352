import { storableJson, storableText } from '@millrace/database'
import { InvalidRecordError } from './record-type.ts'
import type { RecordContext, RecordPlugin, Row } from './plugin.ts'
import type { TableShape, TableShapes } from './table-shape.ts'

/** Longest text in a column that an index covers, in bytes of UTF-8. */
const MAX_INDEXED_BYTES = 2_000
/** Longest that the columns of one key may be together. Postgres takes 2,704, other columns and padding included. */
const MAX_KEY_BYTES = 2_600

/**
 * The typed row of a record, in a form that Postgres takes: null when the record has none.
 * @throws {InvalidRecordError} when an indexed column, in it or in a row beside it, would not fit its index (hazards
 * J6, X21).
 */
export function typedRow(plugin: RecordPlugin, context: RecordContext<unknown>, shapes: TableShapes): Row | null {
  if (!plugin.table || !plugin.toRow || (plugin.rkey !== undefined && plugin.rkey !== context.rkey)) return null
  const row = plugin.toRow(context)
  if (!row) return null
  // Here, where one record can be refused alone; in the transaction it would be the whole batch.
  for (const part of plugin.parts ?? []) partRows(part.table, part.toRows(context), shapes)
  return storableRow(row, plugin.table, shapes.get(plugin.table)!)
}

/** All rows of one of a record's further tables. */
export function partRows(table: string, rows: readonly Row[], shapes: TableShapes): Row[] {
  return rows.map((row) => storableRow(row, table, shapes.get(table)!))
}

function storableRow(row: Row, table: string, shape: TableShape): Row {
  for (const column in row) {
    const cell = row[column]
    if (typeof cell !== 'string') continue
    row[column] = shape.types.get(column) === 'jsonb' ? storableJson(cell) : storableText(cell)
    // A UTF-16 unit is at most three bytes: most texts need no counting.
    if (
      cell.length * 3 > MAX_INDEXED_BYTES &&
      shape.indexed.has(column) &&
      Buffer.byteLength(cell) > MAX_INDEXED_BYTES
    ) {
      throw new InvalidRecordError(
        `${table}.${column} has ${Buffer.byteLength(cell)} bytes, of which an index takes ${MAX_INDEXED_BYTES}`,
      )
    }
  }
  for (const key of shape.keys) refuseLongKey(row, table, key)
  return row
}

function refuseLongKey(row: Row, table: string, key: readonly string[]): void {
  const texts = key.map((column) => row[column]).filter((cell) => typeof cell === 'string')
  if (texts.reduce((sum, text) => sum + text.length * 3, 0) <= MAX_KEY_BYTES) return
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (bytes > MAX_KEY_BYTES)
    throw new InvalidRecordError(
      `${table} has ${bytes} bytes in ${key.join(', ')}, of which an index takes ${MAX_KEY_BYTES}`,
    )
}
