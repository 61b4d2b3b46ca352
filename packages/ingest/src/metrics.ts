import type { Labels, Meter } from '@millrace/stream-protocol'
import type { Batch } from './batch.ts'
import { outcomes, skipReasons } from './conversion.ts'

const connectionStates = ['connecting', 'streaming', 'waiting', 'halted'] as const

/** How the connection to a host stands; `halted` when only an operator can have it go on. */
export type ConnectionState = (typeof connectionStates)[number]

export interface SubscriptionMetrics {
  received(frames: number): void
  done(batch: Batch<unknown>): void
  state(state: ConnectionState): void
  cursor(seq: number): void
  lag(seconds: number): void
  reconnected(): void
}

const marks = ['dirty', 'gap', 'dead_letter'] as const

/** Instruments of one subscription. All are there from the start, at 0 (hazard O2). */
export function subscriptionMetrics(
  meter: Meter,
  kind: 'firehose' | 'labeler',
  labels: { stream: string; host: string },
): SubscriptionMetrics {
  const names = ['stream', 'host']
  // These two names are interface: dashboards of older pipelines read them.
  const incoming = meter.counter(`${kind}_ingester_incoming_events_total`, 'Frames received', names)
  const streamed = meter.counter(`${kind}_ingester_stream_events_total`, 'Events appended to the stream', names)
  const frames = meter.counter('millrace_ingester_frames_total', 'Frames by how they ended', [...names, 'outcome'])
  const inHand = meter.gauge('millrace_ingester_frames_in_hand', 'Frames received that have not ended yet (O7)', names)
  const skipped = meter.counter('millrace_ingester_skipped_total', 'What was left out, by reason', [...names, 'reason'])
  const marked = meter.counter('millrace_ingester_marks_total', 'Marks and dead letters made', [...names, 'kind'])
  const reconnects = meter.counter('millrace_ingester_reconnects_total', 'Connections after the first', names)
  const cursor = meter.gauge('millrace_ingester_cursor', 'Last sequence number appended', names)
  const lag = meter.gauge('millrace_ingester_lag_seconds', 'Age of the last event appended, by its own time', names)
  const state = meter.gauge('millrace_ingester_connection_state', '1 for the state it is in', [...names, 'state'])

  const add = (
    counter: { add(value: number, labels?: Labels): void },
    label: string,
    counts: Iterable<[string, number]>,
  ) => {
    for (const [value, count] of counts) counter.add(count, { ...labels, [label]: value })
  }
  const zero = (values: readonly string[]) => values.map((value): [string, number] => [value, 0])
  for (const counter of [incoming, streamed, reconnects]) counter.add(0, labels)
  add(frames, 'outcome', zero(outcomes))
  add(skipped, 'reason', zero(skipReasons))
  add(marked, 'kind', zero(marks))

  const setState = (current: ConnectionState) => {
    for (const name of connectionStates) state.set(name === current ? 1 : 0, { ...labels, state: name })
  }
  setState('connecting')
  let held = 0
  const hold = (change: number): void => {
    held += change
    inHand.set(held, labels)
  }
  hold(0)
  cursor.set(0, labels)
  lag.set(0, labels)

  return {
    received: (count) => {
      incoming.add(count, labels)
      hold(count)
    },
    done: (batch) => {
      streamed.add(batch.events.length, labels)
      add(frames, 'outcome', batch.outcomes)
      hold(-batch.outcomes.values().reduce((sum, count) => sum + count, 0))
      add(skipped, 'reason', batch.skipped)
      add(marked, 'kind', [
        ['dirty', batch.dirty.length],
        ['gap', batch.gaps.length],
        ['dead_letter', batch.deadLetters.length],
      ])
    },
    state: setState,
    cursor: (seq) => cursor.set(seq, labels),
    lag: (seconds) => lag.set(seconds, labels),
    reconnected: () => reconnects.add(1, labels),
  }
}
