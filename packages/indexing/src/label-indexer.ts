import type { DeadLetter, Entry, LabelEvent } from '@millrace/stream-protocol'
import type { IndexingService } from './indexing-service.ts'
import { StreamLoop, type StreamLoopOptions } from './stream-loop.ts'

export interface LabelIndexerOptions extends StreamLoopOptions<LabelEvent> {
  indexing: IndexingService
}

/** Batches of labels → rows of `label` → ack. */
export class LabelIndexer extends StreamLoop<LabelEvent> {
  readonly #indexing: IndexingService

  constructor({ indexing, ...options }: LabelIndexerOptions) {
    // Each batch replaces what the one before it said.
    super('label-indexer', { ...options, concurrency: 1 })
    this.#indexing = indexing
  }

  protected override async apply(entries: readonly Entry<LabelEvent>[]): Promise<void> {
    const { rejected } = await this.#indexing.indexLabels(entries.map((entry) => entry.event))
    await this.keepRejected(entries, rejected)
  }

  protected override describe(event: LabelEvent): Pick<DeadLetter, 'did' | 'uri' | 'host' | 'payload'> {
    return { uri: event.label.uri, host: event.host, payload: JSON.stringify(event) }
  }

  protected override topicOf(event: LabelEvent): string {
    return event.label.src
  }
}
