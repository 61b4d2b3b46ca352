import { isBackfillSeq, recordUri, type DeadLetter, type Entry, type StreamEvent } from '@millrace/stream-protocol'
import type { IndexingService } from './indexing-service.ts'
import { StreamLoop, type GiveUpReason, type StreamLoopOptions } from './stream-loop.ts'

export interface StreamIndexerOptions extends StreamLoopOptions<StreamEvent> {
  indexing: IndexingService
}

/** Batches of record operations and account changes → rows → ack. */
export class StreamIndexer extends StreamLoop<StreamEvent> {
  readonly #indexing: IndexingService
  #leadMs: number | undefined

  constructor({ indexing, ...options }: StreamIndexerOptions) {
    super('indexer', options)
    this.#indexing = indexing
  }

  /**
   * How far the live events since the last question were ahead of our clock at least, in milliseconds; undefined without
   * any. Above 0, it is ours that is behind.
   */
  leadMs(): number | undefined {
    const leadMs = this.#leadMs
    this.#leadMs = undefined
    return leadMs
  }

  protected override async apply(entries: readonly Entry<StreamEvent>[]): Promise<void> {
    this.#noteLead(entries)
    const { rejected, dirty } = await this.#indexing.index(entries.map((entry) => entry.event))
    await this.keepRejected(entries, rejected)
    if (dirty.length > 0) await this.ledger.markDirty(dirty)
  }

  /** One event of a batch is enough. */
  #noteLead(entries: readonly Entry<StreamEvent>[]): void {
    const live = entries.find(({ event: { seq } }) => seq !== undefined && !isBackfillSeq(seq))
    const leadMs = live ? Date.parse(live.event.time) - Date.now() : Number.NaN
    if (!Number.isNaN(leadMs)) this.#leadMs = Math.min(leadMs, this.#leadMs ?? leadMs)
  }

  protected override describe(event: StreamEvent): Pick<DeadLetter, 'did' | 'uri' | 'host' | 'payload'> {
    return {
      did: event.did,
      uri: 'rkey' in event ? recordUri(event) : undefined,
      host: event.host,
      payload: JSON.stringify(event),
    }
  }

  /** A record that the database refuses is no record: what it would have replaced goes, and its run goes on (B14, X9). */
  protected override async gaveUp({ event }: Entry<StreamEvent>, reason: GiveUpReason): Promise<void> {
    if (reason === 'refused-by-database') await this.#indexing.refuse(event)
  }

  /**
   * An entry of another service says that all before it is in, without saying how much that is: the end of a backfill
   * comes after what belongs to the same repo (hazard X16).
   */
  protected override topicOf(event: StreamEvent): string {
    return event.did
  }
}
