import type { RecountPosition } from '@millrace/indexing'
import type { DatabaseOptions } from '../database-options.ts'

/** What `millrace recount` was asked for. */
export interface RecountCommandOptions extends DatabaseOptions {
  /** DIDs and AT-URIs; all there are when it is empty. */
  subjects: readonly string[]
  /** All when it is empty. */
  tables: readonly string[]
  after: RecountPosition | undefined
  dryRun: boolean
  /** Wrong counts to list of each column. */
  samples: number
}

/** A position as one word: `post_agg`, or `post_agg/at://…`. */
export function positionText({ table, subject }: RecountPosition): string {
  return subject === undefined ? table : `${table}/${subject}`
}

export function readPosition(text: string): RecountPosition {
  const slash = text.indexOf('/')
  return slash < 0 ? { table: text } : { table: text.slice(0, slash), subject: text.slice(slash + 1) }
}
