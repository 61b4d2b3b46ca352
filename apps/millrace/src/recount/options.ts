import type { RecountPosition } from '@millrace/indexing'

/** What `millrace recount` was asked for. */
export interface RecountCommandOptions {
  /** DIDs and AT-URIs; all there are when it is empty. */
  subjects: readonly string[]
  /** All when it is empty. */
  tables: readonly string[]
  after: RecountPosition | undefined
  dryRun: boolean
  /** Wrong counts to list of each column. */
  samples: number
  /** URL of a Postgres, in place of the configured one. */
  database: string | undefined
  /** Folder of `millrace up`. */
  data: string
  json: boolean
}

/** A position as one word: `post_agg`, or `post_agg/at://…`. */
export function positionText({ table, subject }: RecountPosition): string {
  return subject === undefined ? table : `${table}/${subject}`
}

export function readPosition(text: string): RecountPosition {
  const slash = text.indexOf('/')
  return slash < 0 ? { table: text } : { table: text.slice(0, slash), subject: text.slice(slash + 1) }
}
