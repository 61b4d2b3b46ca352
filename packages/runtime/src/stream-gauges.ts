import {
  entryTime,
  silentLogger,
  sleep,
  type Gauge,
  type Logger,
  type Loop,
  type Meter,
  type StreamStatus,
  type StreamStore,
} from '@millrace/stream-protocol'

export interface StreamGaugesOptions {
  store: StreamStore
  streams: readonly string[]
  meter: Meter
  logger?: Logger
  /** @default 5_000 */
  everyMs?: number
}

/**
 * Exports what a store says about its streams every few seconds (hazard O3): length, entries pending and not yet
 * delivered, and the age of the entry that has waited longest. A store that does not answer ends nothing: the gauge
 * `millrace_stream_status_up` is 0 then, and the others keep what they last had.
 */
export class StreamGauges implements Loop {
  readonly name = 'stream gauges'
  readonly #store: StreamStore
  readonly #streams: readonly string[]
  readonly #logger: Logger
  readonly #everyMs: number
  readonly #up: Gauge
  readonly #length: Gauge
  readonly #age: Gauge
  readonly #pending: Gauge
  readonly #undelivered: Gauge
  readonly #pendingAge: Gauge
  readonly #consumers: Gauge

  constructor({ store, streams, meter, logger = silentLogger, everyMs = 5_000 }: StreamGaugesOptions) {
    this.#store = store
    this.#streams = streams
    this.#logger = logger.child({ component: 'stream-gauges' })
    this.#everyMs = everyMs
    this.#up = meter.gauge('millrace_stream_status_up', '1 when the store answered the last question about its streams')
    this.#length = meter.gauge('millrace_stream_length', 'Entries in the stream', ['stream'])
    this.#age = meter.gauge(
      'millrace_stream_oldest_entry_age_seconds',
      'Age of the first entry that is still in the stream; 0 when there is none',
      ['stream'],
    )
    const ofGroup = ['stream', 'group']
    this.#pending = meter.gauge('millrace_stream_pending', 'Entries delivered and not acked', ofGroup)
    this.#undelivered = meter.gauge('millrace_stream_undelivered', 'Entries not yet delivered', ofGroup)
    this.#pendingAge = meter.gauge(
      'millrace_stream_oldest_pending_age_seconds',
      'Age of the entry that has waited longest for its ack; 0 when none waits',
      ofGroup,
    )
    this.#consumers = meter.gauge('millrace_stream_consumers', 'Consumers that the group has seen', ofGroup)
    for (const stream of streams) {
      this.#length.set(0, { stream })
      this.#age.set(0, { stream })
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#measure()
      await sleep(this.#everyMs, signal)
    }
  }

  async #measure(): Promise<void> {
    try {
      const statuses = await this.#store.status(this.#streams)
      for (const status of statuses) this.#export(status, Date.now())
      this.#up.set(1)
    } catch (error) {
      this.#up.set(0)
      this.#logger.warn({ err: error }, 'the store does not tell the state of its streams')
    }
  }

  #export(status: StreamStatus, now: number): void {
    const { stream } = status
    this.#length.set(status.length, { stream })
    this.#age.set(ageSeconds(status.firstId, now), { stream })
    for (const group of status.groups) {
      const labels = { stream, group: group.name }
      this.#pending.set(group.pending, labels)
      if (group.undelivered !== null) this.#undelivered.set(group.undelivered, labels)
      this.#pendingAge.set(ageSeconds(group.oldestPendingId, now), labels)
      this.#consumers.set(group.consumers.length, labels)
    }
  }
}

/** Seconds since an entry was appended; 0 for none, and where the store's clock is ahead of ours. */
export function ageSeconds(id: string | null, now: number): number {
  return id === null ? 0 : Math.max(0, (now - entryTime(id)) / 1_000)
}
