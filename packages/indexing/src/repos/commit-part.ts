import { isBackfillSeq, type StreamEvent } from '@millrace/stream-protocol'
import type { ChainBreak, RepoHead } from './repo-state.ts'
import { rangesOf, unionOf, type Ranges } from './ranges.ts'

/**
 * What we have of one commit, as far as it says how it hangs together with others. The operations of a commit are
 * entries of their own, so a batch may hold only some of them.
 */
export interface CommitPart extends RepoHead, ChainBreak {
  did: string
  host: string | undefined
  /** How many operations there are, and which of them have come. */
  ops: number
  seen: Ranges
  /** A `#sync`: the repo says where it is, without its records. */
  isSync: boolean
}

/** Of a repo that says where it is without saying what it holds: no other is the same, not even another such. */
export const UNKNOWN_TREE = ''

/** The commits of a batch, by account and revision. Entries of other services say nothing of a chain, and are left. */
export function commitParts(events: readonly StreamEvent[]): Map<string, CommitPart[]> {
  const byDid = new Map<string, CommitPart[]>()
  for (const event of events) {
    const part = commitPart(event)
    if (!part) continue
    const parts = byDid.get(part.did)
    if (!parts) byDid.set(part.did, [part])
    else addPart(parts, part)
  }
  return byDid
}

/** Joins what two places know of the same commits. Ascending by revision. */
export function mergeParts(a: readonly CommitPart[], b: readonly CommitPart[]): CommitPart[] {
  const merged = [...a]
  for (const part of b) addPart(merged, part)
  return merged.sort((x, y) => (x.rev < y.rev ? -1 : 1))
}

/** Two commits of one revision are one, or one of them is a lie: the first that came is what the chain goes by. */
function addPart(parts: CommitPart[], part: CommitPart): void {
  const index = parts.findLastIndex((known) => known.rev === part.rev)
  if (index === -1) parts.push(part)
  else if (parts[index]!.commit === part.commit)
    parts[index] = { ...parts[index]!, seen: unionOf(parts[index]!.seen, part.seen) }
}

function commitPart(event: StreamEvent): CommitPart | undefined {
  if (event.type === 'account' || event.type === 'identity') return undefined
  const { did, rev, commit, since = null, prevData = null, host, op = 0, ops = 1, seq } = event
  const isSync = event.type === 'repo' && event.sync === true
  const data = isSync ? (event.data ?? UNKNOWN_TREE) : event.data
  if (data === undefined || (!isSync && (seq === undefined || isBackfillSeq(seq)))) return undefined
  const part = { did, rev, commit, data, since, prevData, host, isSync }
  if (event.type === 'repo') return { ...part, ops: 0, seen: [] }
  return { ...part, ops, seen: rangesOf([op]) }
}
