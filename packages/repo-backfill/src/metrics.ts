import type { Counter, Gauge, Histogram, Meter } from '@millrace/stream-protocol'

/** How a repo leaves the backfill. */
export type Outcome = 'done' | 'unavailable' | 'inactive' | 'dead-letter' | 'postponed' | 'later'
/** Why a repo is tried again. */
export type RetryCause = 'fetch' | 'identity' | 'invalid' | 'ledger'

const outcomes: readonly Outcome[] = ['done', 'unavailable', 'inactive', 'dead-letter', 'postponed', 'later']
const causes: readonly RetryCause[] = ['fetch', 'identity', 'invalid', 'ledger']

export interface BackfillMetrics {
  repos: Counter
  retries: Counter
  rejected: Counter
  records: Counter
  leftOut: Counter
  bytes: Counter
  seconds: Histogram
  running: Gauge
  waiting: Gauge
}

/** All of them show 0 from the start (hazard O2). */
export function backfillMetrics(meter: Meter): BackfillMetrics {
  const metrics: BackfillMetrics = {
    repos: meter.counter('millrace_backfill_repos_total', 'Repos that are finished with', ['outcome']),
    retries: meter.counter('millrace_backfill_retries_total', 'Repos put back to be tried again', ['cause']),
    rejected: meter.counter('millrace_backfill_rejected_entries_total', 'Entries that are no backfill events'),
    records: meter.counter('millrace_backfill_records_total', 'Records appended'),
    leftOut: meter.counter('millrace_backfill_records_left_out_total', 'Records that no event can carry'),
    bytes: meter.counter('millrace_backfill_bytes_total', 'Bytes of verified repos'),
    seconds: meter.histogram(
      'millrace_backfill_seconds',
      'From the request for a repo to its last event appended',
      [],
      [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
    ),
    running: meter.gauge('millrace_backfill_running', 'Repos being worked on'),
    waiting: meter.gauge('millrace_backfill_waiting', 'Repos that were read and wait for their turn or their host'),
  }
  for (const outcome of outcomes) metrics.repos.add(0, { outcome })
  for (const cause of causes) metrics.retries.add(0, { cause })
  for (const counter of [metrics.rejected, metrics.records, metrics.leftOut, metrics.bytes]) counter.add(0)
  metrics.running.set(0)
  metrics.waiting.set(0)
  return metrics
}
