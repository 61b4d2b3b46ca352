/** What a repair is doing: comparing the host's list with ours, having repos fetched, proving the result. */
export type RepairState = 'listing' | 'fetching' | 'verifying' | 'done' | 'cancelled'

/** One comparison of a host's repos with ours, with everything that came of it so far. */
export interface Repair {
  id: number
  /** Without scheme. */
  host: string
  /** `asked`, `gap` or `periodic`. */
  reason: string
  /** Only repos that have moved since. */
  since: Date | null
  until: Date | null
  /** Compares, and fetches nothing. */
  dryRun: boolean
  /** Fetches every repo, and derives its rows anew. */
  reindex: boolean
  state: RepairState
  paused: boolean
  cursor: string | null
  /** Repos of the host's list so far, and what they were. */
  listed: number
  inactive: number
  current: number
  moved: number
  unknown: number
  /** Of those to fetch: how many are still to come, and how many could not be had. */
  waiting: number
  failed: number
  /** Repos that were fetched once more to prove the result, and how many of them were not what we have. */
  sampled: number
  diverged: number
  error: string | null
  createdAt: Date
  updatedAt: Date
  finishedAt: Date | null
}

/** Records that a repair has changed, by collection. */
export interface RepairCount {
  collection: string
  created: number
  updated: number
  deleted: number
  unchanged: number
}
