import { isGuarded } from '@millrace/failpoints'
import { dirtyStatement } from '@millrace/database'
import type { DirtyMark } from '@millrace/stream-protocol'
import { applyRecords, type ApplyContext } from '../apply/apply-records.ts'
import type { NegativeCount } from '../apply/negative-counts.ts'
import type { RepoRev } from '../reduce.ts'
import type { Session } from '../session.ts'
import { lockNames, takeLocks } from '../batch-locks.ts'
import { compareText } from '../values.ts'
import type { CommitPart } from './commit-part.ts'
import { unknownRepo, type RepoState } from './repo-state.ts'
import { writeRepos, type StoredRepos } from './repo-store.ts'
import type { RepairCounts } from './repair-counts.ts'
import { isClosed, mergeRuns, newestComplete, type ClosedRun, type RunPart } from './run-part.ts'
import { settleRepo } from './settle-repo.ts'
import { clearDirty, findSwept, purgeTombstones, removalOf, type Sweep } from './sweep.ts'

export interface RepoChanges {
  /** Gets what is swept for repairs; written with everything else. */
  repairs: RepairCounts
  stored: StoredRepos
  /** What a batch brings of commits and of runs, by account. */
  commits: ReadonlyMap<string, readonly CommitPart[]>
  runs: ReadonlyMap<string, readonly RunPart[]>
  /** Accounts that we know no commit of, and had records of before this batch. */
  withRecords: ReadonlySet<string>
  /** Whether what waits has waited long enough. */
  impatient?: boolean
}

export interface SettledRepos {
  /** Revisions that readers may be told. */
  reached: RepoRev[]
  /** Accounts whose run is complete, and whose sweep goes on in a further transaction. */
  unfinished: string[]
  /** Records swept. */
  swept: number
  /** Commits that were accepted by `since` alone. */
  legacy: number
  /** Repos whose chain broke. */
  broke: number
  /** Counts that the sweep took below zero. */
  negative: NegativeCount[]
}

/**
 * Brings repos as a whole up to date, after the records of a batch are written and in the same transaction: sweeps what
 * complete runs leave over, moves floors and heads, and marks what has to be fetched (hazards B10 to B13, I18 to I21).
 * The caller holds the locks of these repos.
 */
export async function settleRepos(context: ApplyContext, changes: RepoChanges): Promise<SettledRepos> {
  const { session } = context
  const { stored, commits, runs, repairs, withRecords, impatient = false } = changes
  const dids = [...new Set([...commits.keys(), ...runs.keys()])].sort(compareText)
  const settled: SettledRepos = { reached: [], unfinished: [], swept: 0, legacy: 0, broke: 0, negative: [] }
  if (dids.length === 0) return settled

  const open = new Map([...runs].map(([did, parts]) => [did, mergeRuns(stored.runs.get(did) ?? [], parts)]))
  const floorOf = (did: string): string => stored.states.get(did)?.floor ?? ''
  const completed = [...open.values()].flatMap((parts) => newestComplete(parts) ?? [])
  const { sweep, negative } = await applySweep(
    context,
    completed.filter((run) => run.rev > floorOf(run.did)),
  )
  settled.swept = sweep.removes.length
  settled.negative = negative
  repairs.addSwept(sweep.removes, new Map(completed.map((run) => [run.did, run])))
  const done = new Map(
    completed.filter(({ did, rev }) => rev <= floorOf(did) || sweep.finished.has(did)).map((run) => [run.did, run]),
  )
  settled.unfinished = completed.flatMap(({ did }) => (done.has(did) ? [] : [did]))

  const states: [string, RepoState][] = []
  const waiting: CommitPart[] = []
  const dirty: DirtyMark[] = []
  for (const did of dids) {
    const before = stored.states.get(did) ?? unknownRepo
    const run = done.get(did)
    const waits = stored.waiting.get(did) ?? []
    const {
      broke,
      legacy,
      waiting: left,
      ...state
    } = settleRepo(before, run, waits, commits.get(did) ?? [], {
      hasRecords: withRecords.has(did),
      impatient,
    })
    settled.legacy += legacy
    waiting.push(...left)
    if (broke) dirty.push({ did, ...broke })
    if (sameState(before, state)) continue
    states.push([did, state])
    if (state.head !== null && (state.broken === null || !isGuarded('reported-rev')))
      settled.reached.push({ did, rev: state.head.rev, commit: state.head.commit })
  }
  settled.broke = dirty.length
  const finished = [...done.values()]
  /** What is not newer than this is in the rows, whether or not all of its run has come. */
  const settledUpTo = (did: string): string => {
    const [floor, rev] = [floorOf(did), done.get(did)?.rev ?? '']
    return rev > floor ? rev : floor
  }
  const all = [...open.values()].flat()
  const goOn = all.filter(({ did, rev }) => rev > settledUpTo(did))
  const answered = all.filter(isClosed).filter(({ did, rev }) => rev <= settledUpTo(did))
  await session.all([
    ...writeRepos({
      states,
      waiting,
      waitingOf: dids.filter((did) => stored.waiting.has(did)),
      runs: goOn,
      runsOf: dids.filter((did) => stored.runs.has(did) && open.has(did)),
    }),
    purgeTombstones(finished),
    clearDirty(answered),
    // In the transaction that moves the head: were it lost, nothing would find the hole again (hazard G2).
    dirty.length > 0 && isGuarded('chain-mark') ? dirtyStatement(dirty) : undefined,
    repairs.statement(),
  ])
  return settled
}

async function applySweep(
  context: ApplyContext,
  runs: readonly ClosedRun[],
): Promise<{ sweep: Sweep; negative: NegativeCount[] }> {
  const { session, plugins, now } = context
  const sweep = await findSwept(session, runs, { plugins, now })
  if (sweep.removes.length === 0) return { sweep, negative: [] }
  const names = await lockNames(session, sweep.removes)
  if (names.size > 0) await session.one(takeLocks([], names))
  return { sweep, negative: await applyRecords(context, removalOf(sweep.removes)) }
}

/**
 * Of accounts that we know no commit of and that say they are empty: those that are not, for us. To be asked before the
 * records of the batch are written.
 */
export async function accountsWithRecords(
  session: Session,
  commits: ReadonlyMap<string, readonly CommitPart[]>,
  { states }: StoredRepos,
): Promise<ReadonlySet<string>> {
  const dids = [...commits].flatMap(([did, parts]) =>
    parts.some((part) => part.isSync) && (states.get(did)?.head ?? null) === null ? [did] : [],
  )
  if (dids.length === 0) return new Set()
  const rows = await session.one<{ did: string }>({
    text: 'select did from unnest($1::text[]) as did where exists (select 1 from record where record.did = did.did)',
    values: [dids],
  })
  return new Set(rows.map((row) => row.did))
}

function sameState(a: RepoState, b: RepoState): boolean {
  return a.head?.rev === b.head?.rev && a.floor === b.floor && a.broken?.rev === b.broken?.rev
}
