import type { Pool } from 'pg'

/**
 * Of each table the text columns that share a key of an index, where more than one does: the length of all together is
 * bounded by the index (hazard X21). Columns that the index merely carries along count as well.
 */
export async function readIndexKeys(
  pool: Pool,
  tables: readonly string[],
): Promise<ReadonlyMap<string, readonly (readonly string[])[]>> {
  const { rows } = await pool.query<{ table: string; columns: string[] }>({
    text: `
      select c.relname as "table", array_agg(a.attname::text order by a.attnum) as columns
      from pg_class c
      join pg_index i on i.indrelid = c.oid
      join pg_class ic on ic.oid = i.indexrelid
      join pg_am m on m.oid = ic.relam and m.amname = 'btree'
      join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey::int2[]) and a.attgenerated = ''
      where c.oid = any (select to_regclass(quote_ident(name)) from unnest($1::text[]) name)
        and format_type(a.atttypid, null) in ('text', 'character varying')
      group by c.relname, i.indexrelid
      having count(*) > 1`,
    values: [tables],
  })
  const keys = new Map<string, Map<string, string[]>>()
  for (const { table, columns } of rows) {
    let ofTable = keys.get(table)
    if (!ofTable) keys.set(table, (ofTable = new Map()))
    ofTable.set(columns.join(' '), columns)
  }
  return new Map([...keys].map(([table, ofTable]) => [table, [...ofTable.values()]]))
}
