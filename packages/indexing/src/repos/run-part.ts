import { isGuarded } from '@millrace/failpoints'
import { isBackfillSeq, type StreamEvent } from '@millrace/stream-protocol'
import { coversUpTo, rangesOf, unionOf, type Ranges } from './ranges.ts'
import type { RepoHead } from './repo-state.ts'

/** What we have of one fetch of a whole repo. */
export interface RunPart {
  did: string
  run: string
  rev: string
  host: string | undefined
  /** Which of its records are applied. */
  seen: Ranges
  /** How many there are, and where the repo is then; null before its closing event. */
  closing: (RepoHead & { records: number; mark: string | null }) | null
  repair: number | null
  reindex: boolean
}

/** A run whose closing event has come. */
export type ClosedRun = RunPart & { closing: NonNullable<RunPart['closing']> }

export function isClosed(run: RunPart): run is ClosedRun {
  return run.closing !== null
}

/** The runs of a batch, by account and run. */
export function runParts(events: readonly StreamEvent[]): Map<string, RunPart[]> {
  const numbers = new Map<string, { part: RunPart; seen: number[] }>()
  for (const event of events) {
    if (event.type === 'account' || event.type === 'identity' || event.run === undefined) continue
    const { did, run, rev, host, repair = null, reindex = false, data, seq } = event
    if (seq === undefined || !isBackfillSeq(seq)) continue
    const key = `${did} ${run}`
    let known = numbers.get(key)
    if (!known) {
      known = { part: { did, run, rev, host, seen: [], closing: null, repair, reindex }, seen: [] }
      numbers.set(key, known)
    }
    if (event.type !== 'repo') known.seen.push(event.op ?? 0)
    else if (event.records !== undefined && data !== undefined)
      known.part.closing = {
        rev,
        commit: event.commit,
        data,
        // Those that no event can carry are numbered too: a deletion stands in the place of each.
        records: event.records + (event.leftOut ?? 0),
        mark: event.mark ?? null,
      }
  }
  const byDid = new Map<string, RunPart[]>()
  for (const { part, seen } of numbers.values()) {
    const parts = byDid.get(part.did)
    const made = { ...part, seen: rangesOf(seen) }
    if (parts) parts.push(made)
    else byDid.set(part.did, [made])
  }
  return byDid
}

/** Joins what is stored of runs with what a batch brings. */
export function mergeRuns(stored: readonly RunPart[], parts: readonly RunPart[]): RunPart[] {
  const byRun = new Map(stored.map((run) => [run.run, run]))
  for (const part of parts) {
    const known = byRun.get(part.run)
    byRun.set(
      part.run,
      known ? { ...known, seen: unionOf(known.seen, part.seen), closing: part.closing ?? known.closing } : part,
    )
  }
  return [...byRun.values()]
}

/** A counted barrier: every record of the run is committed, those that came late or again included (hazard B10). */
function isComplete(run: RunPart): run is ClosedRun {
  return isClosed(run) && (coversUpTo(run.seen, run.closing.records) || !isGuarded('run-barrier'))
}

/** Of several complete runs the one that counts: the newest revision. */
export function newestComplete(runs: readonly RunPart[]): ClosedRun | undefined {
  let newest: ClosedRun | undefined
  for (const run of runs) if (isComplete(run) && (newest === undefined || run.rev > newest.rev)) newest = run
  return newest
}
