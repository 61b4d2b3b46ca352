import type { CountDeltas } from '../counts.ts'
import type { Statement } from '../session.ts'
import { quoted } from '../sql.ts'

/** A count that fell below zero: rows went that had never been counted. */
export interface NegativeCount {
  table: string
  column: string
  subject: string
  count: number
}

interface Look {
  table: string
  columns: readonly string[]
  statement: Statement
}

/**
 * Looks for counts that fell below zero, after they were written (hazard A5). Only what something was taken from can
 * have fallen: few, in most batches.
 */
export function lookForNegative(counts: CountDeltas): Look[] {
  return counts.fallen().map(({ table, key, columns, subjects }) => {
    const names = columns.map(quoted)
    const text = `select ${quoted(key)} as subject, ${names.map((name, index) => `${name} as c${index}`).join(', ')} from ${quoted(table)} where ${quoted(key)} = any ($1::text[]) and least(${names.join(', ')}) < 0`
    return { table, columns, statement: { text, values: [subjects] } }
  })
}

/** What those statements answered. */
export function readNegative(looks: readonly Look[], results: readonly (readonly object[])[]): NegativeCount[] {
  return looks.flatMap(({ table, columns }, index) =>
    (results[index] as { [column: string]: string | number }[]).flatMap((row) =>
      columns.flatMap((column, place) => {
        const count = row[`c${place}`] as number
        return count < 0 ? [{ table, column, subject: row['subject'] as string, count }] : []
      }),
    ),
  )
}
