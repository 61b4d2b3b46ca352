import type { Batch, BatchSource } from '../index.ts'

/** One run of a consumer, read step by step. */
export class BatchReader<T> implements AsyncDisposable {
  readonly #controller = new AbortController()
  readonly #iterator: AsyncIterator<Batch<T>>

  constructor(source: BatchSource<T>) {
    this.#iterator = source.batches(this.#controller.signal)[Symbol.asyncIterator]()
  }

  /** The next batch, however long it takes. */
  async next(): Promise<Batch<T>> {
    const { done, value } = await this.#iterator.next()
    if (done) throw new Error('the run is over')
    return value
  }

  /** Batches until `count` entries have come, as their events, without acking them. */
  async events(count: number): Promise<T[]> {
    const batches = await this.take(count)
    return batches.flatMap(({ entries }) => entries.map(({ event }) => event))
  }

  /** Batches until `count` entries have come, good or bad. */
  async take(count: number): Promise<Batch<T>[]> {
    const batches: Batch<T>[] = []
    for (let seen = 0; seen < count;) {
      const batch = await this.next()
      batches.push(batch)
      seen += batch.entries.length + batch.rejected.length
    }
    return batches
  }

  /** Aborts the run, and resolves once it has ended. What the run gave out and was not acked stays pending. */
  async stop(): Promise<void> {
    this.#controller.abort()
    while (!(await this.#iterator.next()).done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
