import type { AppendOptions, EventSink } from '@millrace/stream-protocol'

export interface BulkOptions<T> {
  /** The same stream with a lower mark. */
  sink: EventSink<T>
  /** Events at once that are not yet bulk. @default 1_000 */
  burst?: number
  /** Events a second that are none, over time. @default 20 */
  perSecond?: number
}

/**
 * Shares a stream among writers of unequal haste. Who writes more than a burst and a steady rate has to wait at the lower
 * mark of `bulk`, so that the stream keeps room, and what others say now is not far behind (hazard L12).
 */
export class FairSink<T> implements EventSink<T> {
  readonly stream: string
  readonly #sink: EventSink<T>
  readonly #bulk: Required<BulkOptions<T>>
  #allowance: number
  #at = performance.now()

  constructor(sink: EventSink<T>, { burst = 1_000, perSecond = 20, ...bulk }: BulkOptions<T>) {
    this.stream = sink.stream
    this.#sink = sink
    this.#bulk = { ...bulk, burst, perSecond }
    this.#allowance = burst
  }

  append(events: readonly T[], options?: AppendOptions): Promise<void> {
    const { burst, perSecond, sink } = this.#bulk
    const now = performance.now()
    const left = Math.min(burst, this.#allowance + ((now - this.#at) / 1_000) * perSecond) - events.length
    this.#at = now
    this.#allowance = Math.max(0, left)
    return (left >= 0 ? this.#sink : sink).append(events, options)
  }
}
