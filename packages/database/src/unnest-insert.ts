/** The element type of an array that carries one column. `jsonb` travels as text. */
export type UnnestType = 'text' | 'boolean' | 'integer' | 'bigint' | 'timestamptz' | 'jsonb'

/** A value of a row. Values of `jsonb` columns are JSON text. */
export type UnnestValue = string | number | bigint | boolean | Date | null

/** Values of one row, in the order of the columns. */
export type UnnestRow = readonly UnnestValue[]

/** What `client.query` takes. With a name the server parses the text once per connection. */
export interface Statement {
  name?: string
  text: string
  values: unknown[]
}

export interface UnnestInsertOptions {
  table: string
  /** Columns and the types that they travel as, in the order of a row's values. */
  columns: Readonly<Record<string, UnnestType>>
  /** What follows: `on conflict …`, `returning …`. */
  suffix?: string
  /** Makes it a prepared statement. One name may stand for one text only. */
  name?: string
}

/**
 * Makes an insert of any number of rows with as many parameters as columns (hazard X6). The text never depends on the
 * rows, so it is built once:
 *
 * ```ts
 * const insertFollows = unnestInsert({
 *   table: 'follow',
 *   columns: { uri: 'text', cid: 'text', creator: 'text', subjectDid: 'text' },
 *   suffix: 'on conflict do nothing returning uri',
 * })
 * await client.query(insertFollows([[uri, cid, creator, subjectDid]]))
 * ```
 *
 * Two rows of one call must not meet in an `on conflict … do update`: Postgres rejects them (hazard X1).
 */
export function unnestInsert({
  table,
  columns,
  suffix = '',
  name,
}: UnnestInsertOptions): (rows: readonly UnnestRow[]) => Statement {
  const names = Object.keys(columns).map(quoteName)
  const text =
    `insert into ${quoteName(table)} (${names.join(', ')}) ` +
    `select ${selectList(columns, 'rows')} from ${unnestSource(columns, 'rows')} ${suffix}`.trimEnd()
  const width = names.length
  return (rows) => ({ ...(name !== undefined && { name }), text, values: toColumns(rows, width) })
}

/**
 * Rows as a table to select from or join with: `unnest($1::text[], $2::bigint[]) as "rows" ("uri", "n")`. Its
 * parameters are what `toColumns` makes, numbered from `firstParameter`; a `jsonb` column is text in it.
 */
export function unnestSource(columns: Readonly<Record<string, UnnestType>>, alias: string, firstParameter = 1): string {
  const arrays = Object.values(columns).map((type, index) => `$${firstParameter + index}::${arrayType(type)}`)
  const names = Object.keys(columns).map(quoteName)
  return `unnest(${arrays.join(', ')}) as ${quoteName(alias)} (${names.join(', ')})`
}

/** The columns of `unnestSource`, each of its own type. */
function selectList(columns: Readonly<Record<string, UnnestType>>, alias: string): string {
  return Object.entries(columns)
    .map(([column, type]) => `${quoteName(alias)}.${quoteName(column)}${type === 'jsonb' ? '::jsonb' : ''}`)
    .join(', ')
}

/** Rows turned into one array per column. `unnest` would fill a short array with nulls, so none may be short. */
export function toColumns(rows: readonly UnnestRow[], width: number): UnnestValue[][] {
  const columns: UnnestValue[][] = Array.from({ length: width }, () => [])
  for (const row of rows) {
    if (row.length !== width) throw new RangeError(`a row has ${row.length} values for ${width} columns`)
    for (let index = 0; index < width; index++) {
      const value = row[index]
      if (value === undefined) throw new RangeError(`value ${index} of a row is undefined`)
      columns[index]?.push(value)
    }
  }
  return columns
}

/** Identifiers come from code, never from the network, but `like` and `sortAt` need quotes. */
export function quoteName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new TypeError(`not a column or table name: ${name}`)
  return `"${name}"`
}

function arrayType(type: UnnestType): string {
  return type === 'jsonb' ? 'text[]' : `${type}[]`
}
