import type { ProblemCode, ProblemKind } from '../problems/problem-kinds.ts'

/** What is an alarm by metrics, in PromQL, with series that are one and series that are none. */
export interface MetricAlarm {
  expr: string
  /** What it looks at, minute by minute, as promtool writes it: while it is an alarm, and while all is well. */
  series: {
    bad: readonly Series[]
    good: readonly Series[]
    /** Of the alarm, beside those that all have. */
    labels: Readonly<Record<string, string>>
  }
}

interface Series {
  series: string
  values: string
}

/** The same series, with values that are an alarm and values that are none. */
function values(
  series: string,
  bad: string,
  good: string,
  labels: Readonly<Record<string, string>> = {},
): MetricAlarm['series'] {
  return { bad: [{ series, values: bad }], good: [{ series, values: good }], labels }
}

/** What problems of these kinds look like to the processes that work: they see them also where nobody asks them. */
export const processAlarms: Partial<Record<ProblemCode, MetricAlarm>> = {
  'store-replaced': {
    expr: 'sum(increase(millrace_stream_store_losses_total[15m])) > 0',
    series: values('millrace_stream_store_losses_total{instance="a"}', '0x15 1x75', '0x90'),
  },
  'database-restored': {
    expr: 'sum(increase(millrace_database_restores_total[15m])) > 0',
    series: values('millrace_database_restores_total{instance="a"}', '0x15 1x75', '0x90'),
  },
  'entries-vanished': {
    expr: 'sum by (stream, group) (increase(millrace_stream_ghosts_total[15m]) + increase(millrace_stream_unaccounted_total[15m])) > 0',
    series: {
      bad: [
        { series: 'millrace_stream_ghosts_total{stream="s",group="g"}', values: '0x15 2x75' },
        { series: 'millrace_stream_unaccounted_total{stream="s",group="g"}', values: '0x90' },
      ],
      good: [
        { series: 'millrace_stream_ghosts_total{stream="s",group="g"}', values: '2x90' },
        { series: 'millrace_stream_unaccounted_total{stream="s",group="g"}', values: '0x90' },
      ],
      labels: { stream: 's', group: 'g' },
    },
  },
  'clock-skew': {
    expr: 'max by (against) (abs(millrace_clock_skew_seconds)) > 120',
    series: values('millrace_clock_skew_seconds{against="postgres"}', '-200x90', '-100x90', { against: 'postgres' }),
  },
}

/** Alarms that no check of ours can raise: of who checks, of what happens between two looks, and of the way to people. */
export const metricAlarms = {
  'process-down': {
    severity: 'page',
    title: 'A process does not answer',
    holdSeconds: 120,
    expr: 'up{job=~"millrace.*"} == 0',
    series: values('up{job="millrace-indexer",instance="a"}', '0x90', '1x90', {
      job: 'millrace-indexer',
      instance: 'a',
    }),
  },
  'admin-silent': {
    severity: 'page',
    title: 'Nobody looks for problems',
    holdSeconds: 120,
    expr: 'absent(millrace_problems_checked_timestamp_seconds) or time() - max(millrace_problems_checked_timestamp_seconds) > 300',
    series: values('millrace_problems_checked_timestamp_seconds', '0+60x5 300x85', '0+60x90'),
  },
  'writes-refused': {
    severity: 'page',
    title: 'Batches fail because of something on our side',
    holdSeconds: 120,
    expr: 'sum by (stream) (increase(millrace_index_retries_total{kind="ours"}[10m])) > 0',
    series: {
      bad: [{ series: 'millrace_index_retries_total{stream="s",kind="ours"}', values: '0+1x90' }],
      good: [{ series: 'millrace_index_retries_total{stream="s",kind="transient"}', values: '0+1x90' }],
      labels: { stream: 's' },
    },
  },
  'dead-letters-rising': {
    severity: 'ticket',
    title: 'Many messages are given up',
    holdSeconds: 0,
    expr: 'sum by (stream) (increase(millrace_index_dead_letters_total[1h])) > 100',
    series: values('millrace_index_dead_letters_total{stream="s",reason="bad-json"}', '0+10x90', '0+1x90', {
      stream: 's',
    }),
  },
  'counts-below-zero': {
    severity: 'ticket',
    title: 'A count fell below zero',
    holdSeconds: 0,
    expr: 'sum by (table, column) (increase(millrace_counts_below_zero_total[1h])) > 0',
    series: values('millrace_counts_below_zero_total{table="t",column="c"}', '0 0 1x88', '1x90', {
      table: 't',
      column: 'c',
    }),
  },
  equivocation: {
    severity: 'ticket',
    title: 'A repo has said two things under one revision',
    holdSeconds: 0,
    expr: 'sum(increase(millrace_indexed_events_total{outcome="equivocation"}[1h])) > 0',
    series: values('millrace_indexed_events_total{outcome="equivocation"}', '0 0 1x88', '1x90'),
  },
  'webhook-failing': {
    severity: 'ticket',
    title: 'A webhook does not take its messages',
    holdSeconds: 600,
    expr: 'max by (webhook) (millrace_alert_webhook_failing) > 0',
    series: values('millrace_alert_webhook_failing{webhook="w"}', '1x90', '0 1 1 0x87', { webhook: 'w' }),
  },
} as const satisfies Readonly<Record<string, MetricAlarm & ProblemKind>>

/** Always there, so that whoever waits for it notices when alarms do not arrive any more. */
export const WATCHDOG = 'watchdog'
