import type { Pool } from 'pg'
import type { CountedRows } from '../count-tables.ts'

/** @throws when a column that subjects are looked up by has no index: each look-up would read its whole table. */
export async function demandIndexes(pool: Pool, places: readonly CountedRows[]): Promise<void> {
  const { rows } = await pool.query<{ place: string }>({
    text: `
      select p."table" || '.' || p."column" as place
      from unnest($1::text[], $2::text[]) as p("table", "column")
      where not exists (
        select from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        join pg_class c on c.oid = i.indexrelid
        join pg_am m on m.oid = c.relam
        where i.indrelid = to_regclass(quote_ident(p."table")) and a.attname = p."column" and m.amname = 'btree' and i.indisvalid
          and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', p."column"))
      )`,
    values: [places.map(({ table }) => table), places.map(({ of }) => of)],
  })
  if (rows.length > 0)
    throw new Error(
      `counting needs an index that begins with ${rows.map(({ place }) => place).join(', and one with ')}`,
    )
}
