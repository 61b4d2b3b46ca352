import type { CountedRows, CountTable } from '../count-tables.ts'
import type { Statement } from '../session.ts'
import { quoted } from '../sql.ts'

/** A subject with its numbers, as they are kept and as counting gives them, in the order of the table's columns. */
export interface Looked {
  subject: string
  /** Whether it has a row in the table of counts. */
  kept: boolean
  stored: readonly number[]
  counted: readonly number[]
}

/**
 * The next subjects after one (from the first when there is none), in the order of the key's index. A subject is what
 * has a row in the table of counts, or is named by a row that would be counted.
 */
export function nextSubjects(table: CountTable, after: string | undefined, limit: number): Statement {
  const places = subjectColumns(table)
  // From each index the next value, then the one after it: how many rows share a value does not matter.
  const next = ({ table: rows, of }: CountedRows, from: string): string =>
    `select ${quoted(of)} from ${quoted(rows)} where ${from} order by ${quoted(of)} limit 1`
  const from = (column: string): string => `($1::text is null or ${quoted(column)} > $1)`
  const steps = places.map(
    (place, index) => `
      s${index}(subject, n) as (
        select (${next(place, `${from(place.of)} and ${quoted(place.of)} is not null`)}), 1
        union all
        select (${next(place, `${quoted(place.of)} > s.subject`)}), s.n + 1 from s${index} s where s.subject is not null and s.n < $2
      )`,
  )
  return {
    text: `
      with recursive ${steps.join(',')}
      ${numbersOf(
        table,
        `(
          select subject from (
            (select ${quoted(table.key)} as subject from ${quoted(table.table)} where ${from(table.key)} order by ${quoted(table.key)} limit $2)
            ${places.map((_, index) => `union select subject from s${index}`).join(' ')}
          ) as each where subject is not null order by subject limit $2
        )`,
      )}`,
    values: [after ?? null, limit],
  }
}

/** These subjects, whether or not anything is known of them. */
export function theseSubjects(table: CountTable, subjects: readonly string[]): Statement {
  return {
    text: numbersOf(table, '(select distinct subject from unnest($1::text[]) as each(subject))'),
    values: [subjects],
  }
}

/**
 * Both numbers of each subject. One statement sees one moment, and a transaction of a writer changes rows and numbers
 * together: so a difference is never a writer's half-done work.
 */
function numbersOf({ table, key, columns }: CountTable, subjects: string): string {
  const counted = columns.map(({ rows }) =>
    rows
      .map(
        ({ table: source, of, unless }) =>
          `(select count(*) from ${quoted(source)} as r where r.${quoted(of)} = k.subject${unless === undefined ? '' : ` and r.${quoted(unless)} is not true`})`,
      )
      .join(' + '),
  )
  // `offset 0` keeps it a look-up by key, whatever the planner thinks of the number of subjects.
  return `
    select k.subject, a.subject is not null as kept,
      ${columns.map(({ column }, index) => `coalesce(a.${quoted(column)}, 0) as s${index}, ${counted[index]} as c${index}`).join(',\n      ')}
    from ${subjects} as k
    left join lateral (select ${quoted(key)} as subject, ${columns.map(({ column }) => quoted(column)).join(', ')} from ${quoted(table)} where ${quoted(key)} = k.subject offset 0) as a on true
    order by k.subject`
}

/** Each index that holds subjects, once. */
export function subjectColumns({ columns }: CountTable): CountedRows[] {
  const places = new Map<string, CountedRows>()
  for (const { rows } of columns) for (const place of rows) places.set(`${place.table} ${place.of}`, place)
  return [...places.values()]
}

/** What one of the statements above answered. */
export function readLooked({ columns }: CountTable, rows: readonly object[]): Looked[] {
  return (rows as { [column: string]: string | number | boolean }[]).map((row) => ({
    subject: row['subject'] as string,
    kept: row['kept'] as boolean,
    stored: columns.map((_, index) => row[`s${index}`] as number),
    counted: columns.map((_, index) => row[`c${index}`] as number),
  }))
}
