import { expect, test } from 'vitest'
import type { Meter } from '../index.ts'
import { ConsumerMetrics, WriterMetrics } from './stream-metrics.ts'

function recordingMeter(): { meter: Meter; values: Map<string, number> } {
  const values = new Map<string, number>()
  const seriesOf = (name: string, labels: object = {}) => `${name} ${Object.values(labels).join(' ')}`
  const instrument = (name: string) => ({
    add: (value: number, labels?: object) =>
      void values.set(seriesOf(name, labels), (values.get(seriesOf(name, labels)) ?? 0) + value),
    set: (value: number, labels?: object) => void values.set(seriesOf(name, labels), value),
    observe: () => undefined,
  })
  return { meter: { counter: instrument, gauge: instrument, histogram: instrument }, values }
}

test('all series are there from the start, at 0 (O2)', () => {
  const { meter, values } = recordingMeter()
  const metrics = [new WriterMetrics(meter, 's'), new ConsumerMetrics(meter, 's', 'g')]
  expect(metrics).toHaveLength(2)
  expect([...values.keys()].toSorted()).toEqual([
    'millrace_stream_ack_missed_total s g',
    'millrace_stream_acked_total s g',
    'millrace_stream_append_retries_total s',
    'millrace_stream_appended_total s',
    'millrace_stream_cursor_conflicts_total s',
    'millrace_stream_ghosts_total s g',
    'millrace_stream_groups_created_total s g',
    'millrace_stream_read_interruptions_total s g',
    'millrace_stream_read_total s g claimed',
    'millrace_stream_read_total s g new',
    'millrace_stream_read_total s g recovered',
    'millrace_stream_unaccounted_total s g',
    'millrace_stream_writers_waiting s',
  ])
  expect(new Set(values.values())).toEqual(new Set([0]))
})

test('writers that wait are counted while they wait (O2)', () => {
  const { meter, values } = recordingMeter()
  const metrics = new WriterMetrics(meter, 's')
  const waiters = [metrics.waiting(), metrics.waiting()]
  expect(values.get('millrace_stream_writers_waiting s')).toBe(2)
  for (const waiter of waiters) waiter[Symbol.dispose]()
  expect(values.get('millrace_stream_writers_waiting s')).toBe(0)
})

test('acks of what was not pending are counted apart (S4)', () => {
  const { meter, values } = recordingMeter()
  const metrics = new ConsumerMetrics(meter, 's', 'g')
  metrics.acked(3, 5)
  metrics.acked(2, 2)
  expect(values.get('millrace_stream_acked_total s g')).toBe(5)
  expect(values.get('millrace_stream_ack_missed_total s g')).toBe(2)
})
