import type { Counter, Gauge, Labels, Meter } from '../ports.ts'

/** The instruments of a writer, under the same names in every store. */
export class WriterMetrics {
  readonly #labels: Labels
  readonly #appended: Counter
  readonly #retries: Counter
  readonly #conflicts: Counter
  readonly #waiting: Gauge
  #waiters = 0

  constructor(meter: Meter, stream: string) {
    this.#labels = { stream }
    this.#appended = meter.counter('millrace_stream_appended_total', 'Entries appended', ['stream'])
    this.#retries = meter.counter('millrace_stream_append_retries_total', 'Appends tried again', ['stream'])
    this.#conflicts = meter.counter(
      'millrace_stream_cursor_conflicts_total',
      'Appends refused because the stored cursor was another one',
      ['stream'],
    )
    this.#waiting = meter.gauge(
      'millrace_stream_writers_waiting',
      'Appends waiting for the stream to fall below its high water mark',
      ['stream'],
    )
    for (const counter of [this.#appended, this.#retries, this.#conflicts]) counter.add(0, this.#labels)
    this.#waiting.set(0, this.#labels)
  }

  /** The store has accepted entries. */
  appended(entries: number): void {
    this.#appended.add(entries, this.#labels)
  }

  /** An append has failed and is made again. */
  retried(): void {
    this.#retries.add(1, this.#labels)
  }

  /** Another writer has moved the cursor; nothing was appended. */
  conflicted(): void {
    this.#conflicts.add(1, this.#labels)
  }

  /** Counts one waiter until the returned value is disposed of. */
  waiting(): Disposable {
    this.#waiting.set(++this.#waiters, this.#labels)
    return { [Symbol.dispose]: () => this.#waiting.set(--this.#waiters, this.#labels) }
  }
}

/** How an entry came to a consumer: read for the first time, recovered from its own pending list, or taken over. */
export type Delivery = 'new' | 'recovered' | 'claimed'

/** The instruments of a consumer, under the same names in every store. */
export class ConsumerMetrics {
  readonly #labels: Labels
  readonly #read: Counter
  readonly #acked: Counter
  readonly #ackMissed: Counter
  readonly #ghosts: Counter
  readonly #unaccounted: Counter
  readonly #interruptions: Counter
  readonly #groupsCreated: Counter

  constructor(meter: Meter, stream: string, group: string) {
    const names = ['stream', 'group']
    this.#labels = { stream, group }
    this.#read = meter.counter('millrace_stream_read_total', 'Entries given to a consumer', [...names, 'delivery'])
    this.#acked = meter.counter('millrace_stream_acked_total', 'Entries acknowledged', names)
    this.#ackMissed = meter.counter(
      'millrace_stream_ack_missed_total',
      'Acknowledged entries that were not pending any more (hazard S4)',
      names,
    )
    this.#ghosts = meter.counter(
      'millrace_stream_ghosts_total',
      'Entries that were deleted while pending: lost, and recorded as a gap (hazard S10)',
      names,
    )
    this.#unaccounted = meter.counter(
      'millrace_stream_unaccounted_total',
      'Entries that left the stream before they were read: lost, and recorded as a gap (hazard S11)',
      names,
    )
    this.#interruptions = meter.counter(
      'millrace_stream_read_interruptions_total',
      'Times a consumer lost its store or its group and started over',
      names,
    )
    this.#groupsCreated = meter.counter('millrace_stream_groups_created_total', 'Consumer groups created', names)
    for (const delivery of ['new', 'recovered', 'claimed'] satisfies Delivery[])
      this.#read.add(0, { ...this.#labels, delivery })
    for (const counter of [
      this.#acked,
      this.#ackMissed,
      this.#ghosts,
      this.#unaccounted,
      this.#interruptions,
      this.#groupsCreated,
    ])
      counter.add(0, this.#labels)
  }

  /** Entries were delivered: new ones, own pending ones, or ones taken over from another consumer. */
  read(entries: number, delivery: Delivery): void {
    this.#read.add(entries, { ...this.#labels, delivery })
  }

  /** So many of the entries that were asked for have left; the others had left before. */
  acked(entries: number, asked: number): void {
    this.#acked.add(entries, this.#labels)
    if (asked > entries) this.#ackMissed.add(asked - entries, this.#labels)
  }

  /** Entries were gone when they were delivered: lost, and recorded as a gap. */
  ghosts(entries: number): void {
    if (entries > 0) this.#ghosts.add(entries, this.#labels)
  }

  /** Entries have left the stream before anybody read them: lost, and recorded as a gap. */
  unaccounted(entries: number): void {
    if (entries > 0) this.#unaccounted.add(entries, this.#labels)
  }

  /** The store or the group was lost, and reading began anew. */
  interrupted(): void {
    this.#interruptions.add(1, this.#labels)
  }

  /** There was no such group, and now there is. */
  groupCreated(): void {
    this.#groupsCreated.add(1, this.#labels)
  }
}
