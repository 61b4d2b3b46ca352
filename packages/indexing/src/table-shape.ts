import type { Pool } from 'pg'
import { readIndexKeys } from './index-keys.ts'

export interface TableShape {
  /** Array element type of each column that can be written, as `unnest` has to be told. */
  types: ReadonlyMap<string, string>
  /** Text columns that an index covers: their length is bounded by the index, not by the table (hazard X21). */
  indexed: ReadonlySet<string>
  /** Columns of each unique index on whole rows. */
  unique: readonly (readonly string[])[]
  /** Sets of text columns that are together in a key of an index. */
  keys: readonly (readonly string[])[]
}

export type TableShapes = ReadonlyMap<string, TableShape>

/**
 * What the database itself says about the tables that plugins write, so that a plugin does not have to repeat it.
 * @throws when one of them does not exist in the search path.
 */
export async function readTableShapes(pool: Pool, tables: Iterable<string>): Promise<TableShapes> {
  const wanted = [...new Set(tables)]
  const { rows } = await pool.query<{ table: string; column: string; type: string; indexed: boolean }>({
    text: `
      select c.relname as "table", a.attname as "column", format_type(a.atttypid, null) as type,
        exists (
          select 1 from pg_index i join pg_class ic on ic.oid = i.indexrelid join pg_am m on m.oid = ic.relam
          where i.indrelid = c.oid and m.amname = 'btree' and a.attnum = any (i.indkey::int2[])
        ) as indexed
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      where c.oid = any (select to_regclass(quote_ident(name)) from unnest($1::text[]) name)`,
    values: [wanted],
  })
  const [unique, keys] = await Promise.all([readUniqueIndexes(pool, wanted), readIndexKeys(pool, wanted)])
  const shapes = new Map<string, TableShape & { types: Map<string, string>; indexed: Set<string> }>()
  for (const { table, column, type, indexed } of rows) {
    let shape = shapes.get(table)
    if (!shape) {
      const [uniqueOf = [], keysOf = []] = [unique.get(table), keys.get(table)]
      shapes.set(table, (shape = { types: new Map(), indexed: new Set(), unique: uniqueOf, keys: keysOf }))
    }
    shape.types.set(column, type)
    if (indexed && (type === 'text' || type.startsWith('character varying'))) shape.indexed.add(column)
  }
  const missing = wanted.filter((table) => !shapes.has(table))
  if (missing.length > 0) throw new Error(`no such table: ${missing.join(', ')}. Has the database been migrated?`)
  return shapes
}

/** Those that may say that a row is there already: not of some rows alone, not of expressions. */
async function readUniqueIndexes(pool: Pool, tables: readonly string[]): Promise<Map<string, string[][]>> {
  const { rows } = await pool.query<{ table: string; columns: string[] }>({
    text: `
      select c.relname as "table", array(
        select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where k.place <= i.indnkeyatts order by k.place
      ) as columns
      from pg_class c join pg_index i on i.indrelid = c.oid
      where c.oid = any (select to_regclass(quote_ident(name)) from unnest($1::text[]) name)
        and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null`,
    values: [tables],
  })
  const byTable = new Map<string, string[][]>()
  for (const { table, columns } of rows) byTable.set(table, [...(byTable.get(table) ?? []), columns])
  return byTable
}
