import type { DatabaseOptions } from '../database-options.ts'

export interface AddOptions extends DatabaseOptions {
  dids: readonly string[]
  /** A DID first in each line; `-` for standard input. */
  file: string | undefined
  collections: readonly string[]
  /** The relay to ask for collections. */
  host: string | undefined
  first: boolean
}
