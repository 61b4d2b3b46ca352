import type { Counter, Histogram, Meter } from '@millrace/stream-protocol'
import { countTables } from './count-tables.ts'
import type { RecordPlugin } from './plugin.ts'
import { outcomes } from './record-op.ts'

export interface IndexingMetrics {
  events: Counter
  swept: Counter
  chains: Counter
  seconds: Histogram
  belowZero: Counter
}

/** All of them show 0 from the start (hazard O2). */
export function indexingMetrics(meter: Meter, plugins: readonly RecordPlugin[]): IndexingMetrics {
  const metrics: IndexingMetrics = {
    events: meter.counter('millrace_indexed_events_total', 'Events by what became of them', ['outcome']),
    swept: meter.counter('millrace_swept_records_total', 'Records removed as their repo no longer has them'),
    chains: meter.counter(
      'millrace_chain_total',
      'Commits that were accepted by their `since` alone, and repos whose chain of commits broke',
      ['result'],
    ),
    seconds: meter.histogram(
      'millrace_index_transaction_seconds',
      'Time of one transaction, from its first statement to the answer of COMMIT',
      [],
    ),
    belowZero: meter.counter(
      'millrace_counts_below_zero_total',
      'Counts that fell below zero, which is a mistake: see `millrace recount`',
      ['table', 'column'],
    ),
  }
  for (const outcome of outcomes) metrics.events.add(0, { outcome })
  metrics.swept.add(0)
  for (const result of ['legacy', 'broken']) metrics.chains.add(0, { result })
  for (const { table, columns } of countTables(plugins))
    for (const { column } of columns) metrics.belowZero.add(0, { table, column })
  return metrics
}
