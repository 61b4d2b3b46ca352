import type pg from 'pg'
import type { Row } from '@millrace/oracle'

/** Writes rows, as JSON has them, into the tables of a schema. What Postgres generates it generates again. */
export async function loadRows(
  pool: pg.Pool,
  schema: string,
  tables: Iterable<readonly [table: string, rows: readonly Row[]]>,
): Promise<void> {
  for (const [table, rows] of tables) {
    if (rows.length === 0) continue
    const { rows: columns } = await pool.query<{ name: string }>(
      `select column_name::text as name from information_schema.columns
       where table_schema = $1 and table_name = $2 and is_generated = 'NEVER'`,
      [schema, table],
    )
    const names = columns
      .filter(({ name }) => name in rows[0]!)
      .map(({ name }) => `"${name}"`)
      .join(', ')
    await pool.query(
      `insert into "${schema}"."${table}" (${names})
       select ${names} from json_populate_recordset(null::"${schema}"."${table}", $1)`,
      [JSON.stringify(rows)],
    )
  }
}
