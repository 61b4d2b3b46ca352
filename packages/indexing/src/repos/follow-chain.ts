import { isGuarded } from '@millrace/failpoints'
import { mergeParts, UNKNOWN_TREE, type CommitPart } from './commit-part.ts'
import { coversUpTo } from './ranges.ts'
import type { RepoHead, RepoState } from './repo-state.ts'

/** Root of a repo without records: the CID of an empty tree node. */
const EMPTY_TREE = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'

type ChainBreakReason = 'unknown-repo' | 'sync' | 'broken-chain'

export interface Followed extends RepoState {
  /** Commits that others have to come before, or more operations of their own. Ascending. */
  waiting: CommitPart[]
  /** Why the chain broke here, when it did: the repo has to be fetched at this revision or later. */
  broke?: { reason: ChainBreakReason; rev: string; host: string | undefined }
  /** Commits that were accepted by `since` alone, as they do not say which tree they start from (hazard I18). */
  legacy: number
}

export interface FollowOptions {
  /** Whether rows of this account are stored. Only asked for an account that we know no commit of. */
  hasRecords: boolean
  /** Waiting has lasted long enough: what is missing is taken for lost. */
  impatient: boolean
}

/**
 * Follows a repo from the stored head along the commits at hand (hazards I18, I19, I21, I26). A function of values.
 *
 * Several consumers share a stream, so commits of one repo may be applied in any order, and one in parts: what does not
 * follow yet waits. What never will, as its predecessor is lost, moves the head all the same, so that later commits
 * chain; readers are told no revision beyond the hole until a snapshot covers it (hazard X16).
 */
export function followChain(
  { head, broken, floor }: RepoState,
  parts: readonly CommitPart[],
  { hasRecords, impatient }: FollowOptions,
): Followed {
  const result: Followed = { head, broken, floor, waiting: [], legacy: 0 }
  let waiting = mergeParts([], parts)
  for (;;) {
    waiting = waiting.filter((part) => result.head === null || part.rev > result.head.rev)
    const next = waiting.find((part) => coversUpTo(part.seen, part.ops) && follows(result.head, part, hasRecords))
    if (next) {
      if (next.prevData === null && result.head !== null && !next.isSync) result.legacy += 1
      result.head = headOf(next)
      continue
    }
    const lost = waiting.find((part) => impatient || part.isSync || (result.head === null && !isFirst(part)))
    if (!lost) break
    const reason = lost.isSync ? 'sync' : result.head === null ? 'unknown-repo' : 'broken-chain'
    const isWhole = !lost.isSync && coversUpTo(lost.seen, lost.ops)
    // Where operations of the commit itself are missing, or it brought none, only the commit's own state is enough.
    result.broken = { rev: lost.rev, since: isWhole ? lost.since : null, prevData: isWhole ? lost.prevData : null }
    result.broke = { reason, rev: lost.rev, host: lost.host }
    result.head = headOf(lost)
  }
  result.waiting = waiting
  return result
}

function follows(head: RepoHead | null, part: CommitPart, hasRecords: boolean): boolean {
  if (!isGuarded('chain')) return true
  // The tree is the same: whatever commits are between, they changed nothing (such as an empty one that was missed).
  if (part.isSync) {
    if (head === null) return part.data === EMPTY_TREE && !hasRecords
    return part.data === head.data && part.data !== UNKNOWN_TREE
  }
  if (head === null) return isFirst(part)
  return part.prevData === null ? part.since === head.rev : part.prevData === head.data
}

function isFirst({ since, prevData }: CommitPart): boolean {
  return since === null && prevData === null
}

function headOf({ rev, commit, data }: RepoHead): RepoHead {
  return { rev, commit, data }
}
