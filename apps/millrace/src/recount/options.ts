import type { ApiOptions } from '../admin/api-options.ts'

/** What `millrace recount` was asked for. */
export interface RecountCommandOptions extends ApiOptions {
  /** DIDs, handles and AT-URIs; all there are when it is empty. */
  subjects: readonly string[]
  /** All when it is empty. */
  tables: readonly string[]
  /** Where an earlier one has ended: `post_agg`, or `post_agg/at://…`. */
  after: string | undefined
  dryRun: boolean
  /** Wrong counts to list of each column. */
  samples: number
  reason: string | undefined
}
