/** A commit that a repo has reached. */
export interface RepoHead {
  rev: string
  commit: string
  /** Root of the tree. */
  data: string
}

/** The first commit that we have after others that we lack. */
export interface ChainBreak {
  rev: string
  /** What it follows, by its own word: a snapshot of that very state leaves nothing missing. */
  since: string | null
  prevData: string | null
}

/** What is stored of a repo as a whole. */
export interface RepoState {
  /** Newest commit that the following ones have to chain from; null for a repo that we know nothing of. */
  head: RepoHead | null
  /** Set while something before the head may be missing: readers are not told of the head until a snapshot covers it. */
  broken: ChainBreak | null
  /** Revision of the newest complete snapshot: everything up to it is reflected in the rows. */
  floor: string | null
}

export const unknownRepo: RepoState = { head: null, broken: null, floor: null }
