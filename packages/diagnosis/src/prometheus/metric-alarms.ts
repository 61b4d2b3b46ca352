import type { ProblemCode, ProblemKind } from '../problems/problem-kinds.ts'

/** What is an alarm by metrics, in PromQL, with series that are one and series that are none. */
export interface MetricAlarm {
  expr: string
  /** What it looks at, minute by minute, as promtool writes it: while it is an alarm, and while all is well. */
  series: { bad: readonly Series[]; good: readonly Series[] }
}

interface Series {
  series: string
  values: string
}

/** The same series, with values that are an alarm and values that are none. */
function values(series: string, bad: string, good: string): MetricAlarm['series'] {
  return { bad: [{ series, values: bad }], good: [{ series, values: good }] }
}

/** What problems of these kinds look like to the processes that work: they see them also where nobody asks them. */
export const processAlarms: Partial<Record<ProblemCode, MetricAlarm>> = {
  'store-replaced': {
    expr: 'sum(increase(millrace_stream_store_losses_total[15m])) > 0',
    series: values('millrace_stream_store_losses_total{instance="a"}', '0 0 1x28', '0x30'),
  },
  'entries-vanished': {
    expr: 'sum by (stream, group) (increase(millrace_stream_ghosts_total[15m]) + increase(millrace_stream_unaccounted_total[15m])) > 0',
    series: {
      bad: [
        { series: 'millrace_stream_ghosts_total{stream="s",group="g"}', values: '0 0 2x28' },
        { series: 'millrace_stream_unaccounted_total{stream="s",group="g"}', values: '0x30' },
      ],
      good: [
        { series: 'millrace_stream_ghosts_total{stream="s",group="g"}', values: '2x30' },
        { series: 'millrace_stream_unaccounted_total{stream="s",group="g"}', values: '0x30' },
      ],
    },
  },
  'clock-skew': {
    expr: 'max by (against) (abs(millrace_clock_skew_seconds)) > 120',
    series: values('millrace_clock_skew_seconds{against="postgres"}', '-200x30', '-100x30'),
  },
}

/** Alarms that no check of ours can raise: of who checks, of what happens between two looks, and of the way to people. */
export const metricAlarms = {
  'process-down': {
    severity: 'page',
    title: 'A process does not answer',
    holdSeconds: 120,
    expr: 'up{job=~"millrace.*"} == 0',
    series: values('up{job="millrace-indexer",instance="a"}', '0x30', '1x30'),
  },
  'admin-silent': {
    severity: 'page',
    title: 'Nobody looks for problems',
    holdSeconds: 120,
    expr: 'absent(millrace_problems_checked_timestamp_seconds) or time() - max(millrace_problems_checked_timestamp_seconds) > 300',
    series: values('millrace_problems_checked_timestamp_seconds', '0+60x5 300x25', '0+60x30'),
  },
  'writes-refused': {
    severity: 'page',
    title: 'Batches fail because of something on our side',
    holdSeconds: 120,
    expr: 'sum by (stream) (increase(millrace_index_retries_total{kind="ours"}[10m])) > 0',
    series: {
      bad: [{ series: 'millrace_index_retries_total{stream="s",kind="ours"}', values: '0+1x30' }],
      good: [{ series: 'millrace_index_retries_total{stream="s",kind="transient"}', values: '0+1x30' }],
    },
  },
  'dead-letters-rising': {
    severity: 'ticket',
    title: 'Many messages are given up',
    holdSeconds: 0,
    expr: 'sum by (stream) (increase(millrace_index_dead_letters_total[1h])) > 100',
    series: values('millrace_index_dead_letters_total{stream="s",reason="bad-json"}', '0+10x30', '0+1x30'),
  },
  'counts-below-zero': {
    severity: 'ticket',
    title: 'A count fell below zero',
    holdSeconds: 0,
    expr: 'sum by (table, column) (increase(millrace_counts_below_zero_total[1h])) > 0',
    series: values('millrace_counts_below_zero_total{table="t",column="c"}', '0 0 1x28', '1x30'),
  },
  'webhook-failing': {
    severity: 'ticket',
    title: 'A webhook does not take its messages',
    holdSeconds: 600,
    expr: 'max by (webhook) (millrace_alert_webhook_failing) > 0',
    series: values('millrace_alert_webhook_failing{webhook="w"}', '1x30', '0 1 1 0x27'),
  },
} as const satisfies Readonly<Record<string, MetricAlarm & ProblemKind>>

/** Always there, so that whoever waits for it notices when alarms do not arrive any more. */
export const WATCHDOG = 'watchdog'
