import type { ApiOptions } from '../admin/api-options.ts'

export interface BackfillChangeOptions extends ApiOptions {
  reason: string | undefined
  dryRun: boolean
}

export interface AddOptions extends BackfillChangeOptions {
  /** DIDs, handles and AT-URIs. */
  subjects: readonly string[]
  /** A DID first in each line; `-` for standard input. */
  file: string | undefined
  collections: readonly string[]
  /** The relay to ask for collections. */
  host: string | undefined
  first: boolean
}
