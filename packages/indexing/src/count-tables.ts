import type { Count, RecordPlugin } from './plugin.ts'
import type { TableShapes } from './table-shape.ts'
import { compareText } from './values.ts'

/** Rows that a number counts: by the subject in column `of`, without those whose column `unless` is true. */
export interface CountedRows {
  table: string
  of: string
  unless?: string
}

/** A column that holds numbers of rows, and which rows it counts. */
export interface CountColumn {
  column: string
  /** Usually one; a number may count rows of several tables. */
  rows: CountedRows[]
}

/** A table of counts, as all plugins together keep it. Columns that no plugin counts in belong to others. */
export interface CountTable {
  table: string
  key: string
  columns: CountColumn[]
}

/**
 * What plugins count, seen from the counts: tables and columns in byte order.
 *
 * @throws when what they say cannot be counted from rows: a count is always what counting gives.
 */
export function countTables(plugins: readonly RecordPlugin[]): CountTable[] {
  const tables = new Map<string, { key: string; columns: Map<string, Map<string, CountedRows>> }>()
  for (const [rows, counts] of countsByRows(plugins)) {
    for (const { table, key, column, of, unless } of counts) {
      let entry = tables.get(table)
      if (!entry) tables.set(table, (entry = { key, columns: new Map() }))
      if (entry.key !== key) throw new Error(`counts in ${table} are kept by ${entry.key} and by ${key}`)
      const counted: CountedRows = { table: rows, of, ...(unless !== undefined && { unless }) }
      const sources = entry.columns.get(column) ?? new Map<string, CountedRows>()
      entry.columns.set(column, sources.set(JSON.stringify(counted), counted))
    }
  }
  return [...tables]
    .map(([table, { key, columns }]) => ({
      table,
      key,
      columns: [...columns]
        .map(([column, rows]) => ({ column, rows: [...rows.values()] }))
        .sort((a, b) => compareText(a.column, b.column)),
    }))
    .sort((a, b) => compareText(a.table, b.table))
}

/** What is counted of each table of rows. */
function countsByRows(plugins: readonly RecordPlugin[]): Map<string, readonly Count[]> {
  const byRows = new Map<string, readonly Count[]>()
  const add = (rows: string, counts: readonly Count[] = []): void => {
    const before = byRows.get(rows)
    // Whose records a row came from is not in the row.
    if (before && JSON.stringify(before) !== JSON.stringify(counts))
      throw new Error(`plugins that share ${rows} do not count its rows alike`)
    byRows.set(rows, counts)
  }
  for (const { collection, table, counts, parts = [] } of plugins) {
    if (table !== undefined) add(table, counts)
    else if (counts) throw new Error(`plugin of ${collection.collection} counts rows, and has none`)
    for (const part of parts) {
      if (part.markDeleted && part.counts)
        throw new Error(`rows of ${part.table} stay when they are deleted: what they count would too`)
      add(part.table, part.counts)
    }
  }
  return byRows
}

/** @throws when a table has no such column, or none that can be counted by. */
export function checkCountTables(tables: readonly CountTable[], shapes: TableShapes): void {
  const demand = (table: string, column: string, ...types: string[]): void => {
    const type = shapes.get(table)?.types.get(column)
    if (type === undefined) throw new Error(`counts name a column that is not there: ${table}.${column}`)
    if (!types.includes(type)) throw new Error(`counts need ${types[0]} in ${table}.${column}, which is ${type}`)
  }
  for (const { table, key, columns } of tables) {
    demand(table, key, 'text', 'character varying')
    for (const { column, rows } of columns) {
      demand(table, column, 'bigint', 'integer')
      for (const { table: source, of, unless } of rows) {
        demand(source, of, 'text', 'character varying')
        if (unless !== undefined) demand(source, unless, 'boolean')
      }
    }
  }
}
