import type { StoredRepo } from '@millrace/database'
import { tidMs } from '@millrace/repo-reader'
import { isTid, type BackfillEvent } from '@millrace/stream-protocol'

/**
 * How a listed repo stands to ours:
 * - `current`: we have its newest commit, and everything before it
 * - `moved`: it has newer commits, or something of it may be missing
 * - `unknown`: we have never heard of a commit of it
 * - `inactive`: there is nothing to fetch
 * - `unchanged`: nothing of it can be missing of the time in question
 */
export type Standing = 'current' | 'moved' | 'unknown' | 'inactive' | 'unchanged'

/** What a host lists an account as. */
export interface ListedStatus {
  did: string
  active: boolean
  /** Why it is inactive, if the host says so. */
  status: string | null
}

/** What a page of a host's list says beside what we have. */
export interface ComparedPage {
  /** Repos to fetch, at this revision or later. */
  fetch: { did: string; rev: string }[]
  counts: Record<Standing, number>
  /** Accounts whose status the host and we see differently. */
  statusDiffers: ListedStatus[]
}

export interface CompareOptions {
  /** Repos that have not moved since are left out, in milliseconds since 1970. */
  sinceMs: number | null
  /** What may have been lost was lost before, in milliseconds since 1970. @default null: until now */
  untilMs?: number | null
  /** Whether repos are fetched although nothing seems to be missing. */
  all: boolean
}

/** Compares a page of `listRepos` with what is stored of its accounts. A function of values. */
export function comparePage(
  listed: readonly BackfillEvent[],
  ours: ReadonlyMap<string, StoredRepo>,
  { sinceMs, untilMs = null, all }: CompareOptions,
): ComparedPage {
  const page: ComparedPage = {
    fetch: [],
    counts: { current: 0, moved: 0, unknown: 0, inactive: 0, unchanged: 0 },
    statusDiffers: [],
  }
  for (const { did, rev, active = true, status = null } of listed) {
    const repo = ours.get(did)
    // A host that tells no revision tells no status either.
    if (rev !== '' && ((repo?.status ?? null) === null ? !active : active))
      page.statusDiffers.push({ did, active, status })
    const standing = active ? standingOf(rev, repo, sinceMs, untilMs) : 'inactive'
    page.counts[standing] += 1
    if (standing === 'moved' || standing === 'unknown' || (all && standing === 'current')) page.fetch.push({ did, rev })
  }
  return page
}

function standingOf(
  rev: string,
  repo: StoredRepo | undefined,
  sinceMs: number | null,
  untilMs: number | null,
): Standing {
  const head = repo?.head ?? null
  if (head !== null && !repo!.broken && head >= rev) return 'current'
  // A chain of commits without a hole that goes beyond the interval has lost nothing in it.
  if (untilMs !== null && head !== null && !repo!.broken && isTid(head) && tidMs(head) >= untilMs) return 'unchanged'
  // What was lost in an interval has moved since it began, whatever else we lack.
  if (sinceMs !== null && isTid(rev) && tidMs(rev) < sinceMs) return 'unchanged'
  return head === null ? 'unknown' : 'moved'
}
