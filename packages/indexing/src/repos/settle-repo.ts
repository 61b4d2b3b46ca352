import { isGuarded } from '@millrace/failpoints'
import { mergeParts, UNKNOWN_TREE, type CommitPart } from './commit-part.ts'
import { followChain, type Followed, type FollowOptions } from './follow-chain.ts'
import type { RepoState } from './repo-state.ts'
import type { ClosedRun } from './run-part.ts'

/**
 * Where a repo is once a run is complete and the commits at hand are followed. A function of values.
 *
 * A snapshot moves the floor: everything up to its revision is reflected in the rows. It mends a broken chain when it
 * is of the commit behind the hole or a later one, or of the very state that this commit says it follows.
 */
export function settleRepo(
  state: RepoState,
  run: ClosedRun | undefined,
  waiting: readonly CommitPart[],
  parts: readonly CommitPart[],
  options: FollowOptions,
): Followed {
  return followChain(run ? withSnapshot(state, run) : state, mergeParts(waiting, parts), options)
}

function withSnapshot({ head, broken, floor }: RepoState, { rev, closing }: ClosedRun): RepoState {
  const { commit, data } = closing
  const mends =
    broken !== null && (rev >= broken.rev || rev === broken.since || (broken.prevData ?? undefined) === data)
  return {
    floor: (floor === null || rev > floor) && isGuarded('snapshot-floor') ? rev : floor,
    head:
      head === null || rev > head.rev || (rev === head.rev && head.data === UNKNOWN_TREE)
        ? { rev, commit, data }
        : head,
    broken: mends ? null : broken,
  }
}
