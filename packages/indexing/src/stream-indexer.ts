import { recordUri, type Batch, type DeadLetter, type Entry, type StreamEvent } from '@millrace/stream-protocol'
import type { IndexingService } from './indexing-service.ts'
import { StreamLoop, type StreamLoopOptions } from './stream-loop.ts'

export interface StreamIndexerOptions extends StreamLoopOptions<StreamEvent> {
  indexing: IndexingService
}

/** Batches of record operations and account changes → rows → ack. */
export class StreamIndexer extends StreamLoop<StreamEvent> {
  readonly #indexing: IndexingService

  constructor({ indexing, ...options }: StreamIndexerOptions) {
    super('indexer', options)
    this.#indexing = indexing
  }

  protected override async apply(entries: readonly Entry<StreamEvent>[]): Promise<void> {
    const { rejected, dirty } = await this.#indexing.index(entries.map((entry) => entry.event))
    await this.keepRejected(entries, rejected)
    if (dirty.length > 0) await this.ledger.markDirty(dirty)
  }

  protected override describe(event: StreamEvent): Pick<DeadLetter, 'did' | 'uri' | 'host' | 'payload'> {
    return {
      did: event.did,
      uri: 'rkey' in event ? recordUri(event) : undefined,
      host: event.host,
      payload: JSON.stringify(event),
    }
  }

  /**
   * An event that raises a repo's revision says that all before it is in: the rest of a commit and the end of a backfill
   * wait for what belongs to the same repo (hazard X16).
   */
  protected override hasToWait(batch: Batch<StreamEvent>, atWork: readonly Batch<StreamEvent>[]): boolean {
    if (atWork.length === 0) return false
    const raised = new Set<string>()
    for (const { event } of batch.entries) {
      if (event.type === 'repo' || ('op' in event && (event.op ?? 0) > 0)) raised.add(event.did)
    }
    return raised.size > 0 && atWork.some(({ entries }) => entries.some(({ event }) => raised.has(event.did)))
  }
}
