import {
  Backoff,
  sleep,
  type Batch,
  type BatchSource,
  type ConsumerOptions,
  type Logger,
  type Meter,
} from '@millrace/stream-protocol'
import {
  BatchReads,
  ConsumerMetrics,
  everySoOften,
  makeBatch,
  type Delivery,
  type StoredEntry,
} from '@millrace/stream-protocol/store-kit'
import { isTransient } from './connection.ts'
import { idOfSeq } from './entry-id.ts'
import {
  ackEntries,
  claimIdle,
  hasNew,
  keepClaims,
  ownPending,
  readNew,
  readPending,
  type Membership,
} from './group-reader.ts'
import type { StreamFile } from './stream-file.ts'
import { consumerRow, groupRow } from './tables.ts'
import { nextAppend } from './wake-ups.ts'

/** What lasts from the start of `batches` to its end. */
interface Run {
  readonly signal: AbortSignal
  /** Ids in batches that are not acked yet. */
  readonly held: Set<string>
  readonly backoff: Backoff
}

/** How soon entries appended by another process are seen. Those of this process are seen at once. */
const POLL_MS = 75
/** Ids of the own pending list that are looked at together. */
const PENDING_PAGE = 1_000

/**
 * Reads a stream in the file as one member of a consumer group: own pending entries first, then those of consumers that
 * seem dead, then new ones, each in the order of the stream; the first two again every `claimIdleMs`.
 */
export class SqliteStreamConsumer<T> implements BatchSource<T> {
  readonly stream: string
  readonly group: string
  readonly #file: StreamFile
  readonly #options: Required<ConsumerOptions<T>>
  readonly #logger: Logger
  readonly #metrics: ConsumerMetrics
  readonly #reads: BatchReads

  constructor(
    file: StreamFile,
    { batchSize = 100, blockMs = 1_000, claimIdleMs = 60_000, keepsClaims = false, ...rest }: ConsumerOptions<T>,
    meter: Meter,
  ) {
    this.stream = rest.stream
    this.group = rest.group
    this.#file = file
    this.#options = { ...rest, batchSize, blockMs, claimIdleMs, keepsClaims }
    this.#logger = file.logger.child({ stream: rest.stream, consumer: rest.consumer })
    this.#metrics = new ConsumerMetrics(meter, rest.stream, rest.group)
    this.#reads = new BatchReads(batchSize)
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch<T>> {
    using _ = this.#options.keepsClaims ? this.#keepClaims(signal) : undefined
    yield* this.#batches(signal)
  }

  #keepClaims(signal: AbortSignal): Disposable {
    const { stream, group, consumer, claimIdleMs } = this.#options
    const keep = (): Promise<void> =>
      this.#transact(signal, () => keepClaims(this.#file.reads, { stream, group, consumer, now: Date.now() }))
    // A file that is locked for long: whoever reads finds out, and says so louder.
    return everySoOften(keep, claimIdleMs / 4, (error) =>
      this.#logger.debug({ err: error }, 'cannot keep now what is at work'),
    )
  }

  async *#batches(signal: AbortSignal): AsyncGenerator<Batch<T>> {
    const run: Run = { signal, held: new Set(), backoff: new Backoff({ minMs: 20, maxMs: 5_000 }) }
    while (!signal.aborted) {
      try {
        yield* this.#read(run)
      } catch (error) {
        if (signal.aborted) return
        if (!isTransient(error)) throw error
        this.#metrics.interrupted()
        this.#logger.warn({ err: error, attempt: run.backoff.attempt + 1 }, 'reading was interrupted: starting over')
        await sleep(run.backoff.nextMs(), signal)
      }
    }
  }

  async *#read(run: Run): AsyncGenerator<Batch<T>> {
    const member = await this.#join(run)
    let recoverAt = 0
    while (!run.signal.aborted) {
      if (performance.now() >= recoverAt) {
        yield* this.#ownPending(member, run)
        yield* this.#idleOfOthers(member, run)
        recoverAt = performance.now() + this.#options.claimIdleMs
      }
      const batch = await this.#new(member, run)
      run.backoff.reset()
      if (batch) yield batch
      else await this.#wait(member, run, recoverAt - performance.now())
    }
  }

  async #join({ signal }: Run): Promise<Membership> {
    const { stream, group, consumer, codec } = this.#options
    return await this.#transact(signal, () => {
      const row = groupRow(this.#file.reads, stream, group)
      if (row.created) this.#metrics.groupCreated()
      consumerRow(this.#file.reads, row.group, consumer, Date.now())
      return { stream: row.stream, group: row.group, consumer, field: codec.field }
    })
  }

  /** Entries pending for our name that this run does not hold: those of an earlier run. */
  async *#ownPending(member: Membership, run: Run): AsyncGenerator<Batch<T>> {
    let after = 0
    while (!run.signal.aborted) {
      const page = ownPending(this.#file.reads, member, after, PENDING_PAGE)
      const missing = page.filter((seq) => !run.held.has(idOfSeq(seq))).slice(0, this.#reads.step)
      const last = missing.at(-1)
      if (last === undefined) {
        if (page.length < PENDING_PAGE) return
        after = page.at(-1)!
        continue
      }
      after = last
      const batch = this.#batch(member, readPending(this.#file.reads, missing, member.field), 'recovered', run)
      if (batch) yield batch
    }
  }

  async *#idleOfOthers(member: Membership, run: Run): AsyncGenerator<Batch<T>> {
    const { claimIdleMs } = this.#options
    while (!run.signal.aborted) {
      const claimed = await this.#transact(run.signal, () =>
        claimIdle(this.#file.reads, member, { idleMs: claimIdleMs, count: this.#reads.step, now: Date.now() }),
      )
      if (claimed.length === 0) return
      const batch = this.#batch(member, readPending(this.#file.reads, claimed, member.field), 'claimed', run)
      if (batch) yield batch
    }
  }

  async #new(member: Membership, run: Run): Promise<Batch<T> | undefined> {
    if (!hasNew(this.#file.reads, member)) return undefined
    const entries = await this.#transact(run.signal, () => {
      const read = this.#reads.begin()
      while (read.count > 0) read.add(readNew(this.#file.reads, member, read.count, Date.now()))
      return read.entries
    })
    return this.#batch(member, entries, 'new', run)
  }

  /** Until something is appended here or elsewhere, or there is other work. */
  async #wait(member: Membership, { signal }: Run, mostMs: number): Promise<void> {
    const until = performance.now() + Math.min(this.#options.blockMs, mostMs)
    // Looking and listening follow each other without a pause between, so that no append is missed.
    while (!signal.aborted && performance.now() < until && !hasNew(this.#file.reads, member))
      await nextAppend(this.#file.path, this.stream, POLL_MS, signal)
  }

  #batch(member: Membership, entries: readonly StoredEntry[], delivery: Delivery, run: Run): Batch<T> | undefined {
    // One that was claimed from us and came back may still be in a batch of ours.
    const stored = entries.filter(({ id }) => !run.held.has(id))
    if (stored.length === 0) return undefined
    if (delivery !== 'new') this.#reads.saw(stored)
    const gone = stored.filter(({ text }) => text === null)
    if (gone.length > 0)
      this.#logger.error({ ids: gone.slice(0, 10).map(({ id }) => id), count: gone.length }, 'pending entries are gone')
    this.#metrics.ghosts(gone.length)
    this.#metrics.read(stored.length, delivery)
    return makeBatch({
      stream: this.stream,
      codec: this.#options.codec,
      stored,
      held: run.held,
      ack: async (ids) => {
        const acked = await this.#transact(run.signal, () => ackEntries(this.#file.reads, member, ids))
        this.#metrics.acked(acked, ids.length)
      },
    })
  }

  async #transact<R>(signal: AbortSignal, work: () => R): Promise<R> {
    return await this.#file.reads.transact(work, { logger: this.#logger, signal })
  }
}
