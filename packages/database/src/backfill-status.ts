import { BackfillQueue, type BackfillCounts } from './backfill-queue.ts'
import { backfillerReports, REPORT_MS, type BackfillerReport } from './backfiller-reports.ts'
import type { Database } from './open-database.ts'

/** How the fetching of repos gets on, over all backfillers. */
export interface BackfillStatus extends BackfillCounts {
  /** `idle`: nothing waits. `absent`: something does, and nobody fetches it. */
  state: 'running' | 'paused' | 'idle' | 'absent'
  backfillers: number
  /** Repos that were listed and wait in the stream; null when no backfiller tells. */
  listed: number | null
  running: number
  /** Repos that all backfillers together finish in a second, in the last minute or so. */
  perSecond: number
  /** Until nothing waits, at this rate; null when that cannot be told. What is still to be listed is not in it. */
  etaSeconds: number | null
}

/** @returns how the fetching of repos gets on, by what is stored. */
export async function readBackfillStatus(database: Database): Promise<BackfillStatus> {
  const queue = new BackfillQueue(database)
  const [counts, paused, reports] = await Promise.all([
    queue.counts(),
    queue.isPaused(),
    backfillerReports(database).recent(REPORT_MS),
  ])
  return backfillStatus(counts, reports, paused)
}

/** Puts together what the queue holds and what backfillers last reported. */
export function backfillStatus(
  counts: BackfillCounts,
  reports: readonly BackfillerReport[],
  paused: boolean,
): BackfillStatus {
  const sum = (of: (report: BackfillerReport) => number): number => reports.reduce((all, each) => all + of(each), 0)
  // They all look at one stream, the latest first.
  const listed = reports[0]?.left ?? null
  const { asked, live, repair, backfill } = counts.waiting
  const waiting = (listed ?? 0) + asked + live + repair + backfill
  const perSecond = sum((report) => report.perSecond)
  const state = paused ? 'paused' : waiting === 0 ? 'idle' : reports.length === 0 ? 'absent' : 'running'
  return {
    ...counts,
    state,
    backfillers: reports.length,
    listed,
    running: sum(({ running }) => running),
    retrying: counts.retrying + sum(({ retrying }) => retrying),
    perSecond,
    etaSeconds: state === 'running' && perSecond > 0 ? Math.round(waiting / perSecond) : null,
  }
}
