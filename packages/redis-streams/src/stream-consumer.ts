import { hastened, isGuarded } from '@millrace/failpoints'
import {
  Backoff,
  idBefore,
  noMeter,
  silentLogger,
  sleep,
  STREAM_EPOCH_KEY,
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
import { ack } from './ack.ts'
import type { RedisConnection } from './connect.ts'
import { isGroupLost, isTransient } from './errors.ts'
import { idleGhosts } from './ghosts.ts'
import { ensureGroup } from './groups.ts'
import { keepClaims } from './keep-claims.ts'
import { persist } from './persist.ts'
import { asEntries, asList, asText, type Reply } from './replies.ts'
import { countUnaccounted, settleUnaccounted } from './unaccounted.ts'

export interface StreamConsumerOptions<T> extends ConsumerOptions<T> {
  redis: RedisConnection
  logger?: Logger
  meter?: Meter
}

/** What lasts from the start of `batches` to its end. */
interface Run {
  readonly signal: AbortSignal
  /** Ids in batches that are not acked yet. */
  readonly held: Set<string>
  readonly backoff: Backoff
  /** The group was there, and is gone. */
  lostGroup: boolean
}

/** Ids of the own pending list that are looked at together. */
const PENDING_PAGE = 1_000
/** How much longer than its BLOCK a blocking read may take. */
const READ_GRACE_MS = 10_000

/**
 * Reads a stream as one member of a consumer group.
 *
 * Delivery is at least once: an entry returns until it is acked, here or, once idle, elsewhere. First come the entries
 * that were given to this consumer's name and not acked, then those of consumers that seem dead, then new ones, each
 * in the order of the stream. The first two are looked for again every `claimIdleMs`, because a reply that was lost on
 * its way leaves entries with us that we never saw (hazards S5, S6).
 */
export class StreamConsumer<T> implements BatchSource<T> {
  readonly stream: string
  readonly group: string
  readonly #redis: RedisConnection
  readonly #options: Required<ConsumerOptions<T>>
  readonly #logger: Logger
  readonly #metrics: ConsumerMetrics
  readonly #reads: BatchReads

  constructor({
    redis,
    batchSize = 100,
    blockMs = 1_000,
    claimIdleMs = hastened(60_000),
    keepsClaims = false,
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: StreamConsumerOptions<T>) {
    this.stream = rest.stream
    this.group = rest.group
    this.#redis = redis
    this.#options = { ...rest, batchSize, blockMs, claimIdleMs, keepsClaims }
    this.#logger = logger.child({ component: 'stream-consumer', stream: rest.stream, consumer: rest.consumer })
    this.#metrics = new ConsumerMetrics(meter, rest.stream, rest.group)
    this.#reads = new BatchReads(batchSize)
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch<T>> {
    using _ = this.#options.keepsClaims ? this.#keepClaims() : undefined
    yield* this.#batches(signal)
  }

  #keepClaims(): Disposable {
    const { stream, group } = this
    const { consumer, claimIdleMs } = this.#options
    const keep = (): Promise<void> => keepClaims(this.#redis, { stream, group, consumer })
    // Redis being away, or the group: whoever reads finds out, and says so louder.
    return everySoOften(keep, claimIdleMs / 4, (error) =>
      this.#logger.debug({ err: error }, 'cannot keep now what is at work'),
    )
  }

  async *#batches(signal: AbortSignal): AsyncGenerator<Batch<T>> {
    const run: Run = { signal, held: new Set(), backoff: new Backoff({ minMs: 100, maxMs: 10_000 }), lostGroup: false }
    while (!signal.aborted) {
      try {
        // A blocking read holds its connection, so nobody else uses this one.
        await using connection = await this.#redis.dedicated(`millrace:${this.#options.consumer}`, signal)
        yield* this.#read(connection, run)
      } catch (error) {
        if (signal.aborted) return
        if (isGroupLost(error)) run.lostGroup = true
        else if (!isTransient(error)) throw error
        this.#metrics.interrupted()
        this.#logger.warn({ err: error, attempt: run.backoff.attempt + 1 }, 'reading was interrupted: starting over')
        await sleep(run.backoff.nextMs(), signal)
      }
    }
  }

  async *#read(connection: RedisConnection, run: Run): AsyncGenerator<Batch<T>> {
    if (run.lostGroup) {
      // Before the group is there again, so that nobody takes the stream for one that was read to its end (hazard I5).
      await connection.command(['DEL', STREAM_EPOCH_KEY])
      run.lostGroup = false
    }
    if (await ensureGroup(connection, this.stream, this.group)) {
      this.#metrics.groupCreated()
      // On a new deployment this is expected. Later it says that Redis has lost what it held.
      this.#logger.warn({ group: this.group }, 'consumer group was absent: created, starting at the first entry')
    }
    let recoverAt = 0
    while (!run.signal.aborted) {
      if (performance.now() >= recoverAt) {
        if (isGuarded('own-pending')) yield* this.#ownPending(connection, run)
        const lookedAt = performance.now()
        yield* this.#idleGhosts(connection, run)
        if (isGuarded('claim')) yield* this.#idleOfOthers(connection, run, lookedAt)
        yield* this.#unaccounted(connection, run)
        recoverAt = performance.now() + this.#options.claimIdleMs
      }
      const batch = await this.#new(connection, run, recoverAt - performance.now())
      run.backoff.reset()
      if (batch) yield batch
    }
  }

  /** Entries pending for our name that this run does not hold: from an earlier run, or of a reply that was lost. */
  async *#ownPending(connection: RedisConnection, run: Run): AsyncGenerator<Batch<T>> {
    const { consumer, codec } = this.#options
    let after = '0-0'
    while (!run.signal.aborted) {
      // Ids alone first: reading the list again would send every entry that is being worked on once more.
      const reply = await connection.command([
        'XPENDING',
        this.stream,
        this.group,
        `(${after}`,
        '+',
        String(PENDING_PAGE),
        consumer,
      ])
      const page = asList(reply, 'pending list').map((item) => asText(asList(item, 'pending entry')[0], 'pending id'))
      const missing = page.find((id) => !run.held.has(id))
      if (missing === undefined) {
        if (page.length < PENDING_PAGE) return
        after = page.at(-1)!
        continue
      }
      const bodies = await this.#readGroup(connection, ['COUNT', String(this.#reads.step)], idBefore(missing))
      const entries = firstStream(bodies, codec.field)
      if (entries.length === 0) return
      this.#reads.saw(entries)
      after = entries.at(-1)!.id
      const batch = this.#batch(entries, 'recovered', run)
      if (batch) yield batch
    }
  }

  /**
   * Idle pending entries that left the stream. They are given out before anything is claimed, because a claim takes
   * them out of the pending list: a crash after it would leave no trace of the loss (hazards G3, S10).
   */
  async *#idleGhosts(connection: RedisConnection, run: Run): AsyncGenerator<Batch<T>> {
    let after: string | undefined = '-'
    while (after !== undefined && !run.signal.aborted) {
      const page = await idleGhosts(connection, {
        stream: this.stream,
        group: this.group,
        idleMs: this.#options.claimIdleMs,
        after,
      })
      after = page.next
      const ghosts = page.ids.map((id) => ({ id, text: null }))
      const batch = this.#batch(ghosts, 'claimed', run)
      if (batch) yield batch
    }
  }

  /** What was idle when ghosts were looked for: what has become so since may be one that nobody was told of. */
  async *#idleOfOthers(connection: RedisConnection, run: Run, lookedAt: number): AsyncGenerator<Batch<T>> {
    const { consumer, claimIdleMs, codec } = this.#options
    let start = '0-0'
    do {
      const idleMs = Math.ceil(claimIdleMs + performance.now() - lookedAt)
      const command = ['XAUTOCLAIM', this.stream, this.group, consumer, String(idleMs), start]
      const reply = asList(await connection.command([...command, 'COUNT', String(this.#reads.step)]), 'claim')
      start = asText(reply[0], 'next id')
      const claimed = asEntries(reply[1], codec.field)
      this.#reads.saw(claimed)
      const gone = asList(reply[2] ?? [], 'deleted ids').map((id) => ({ id: asText(id, 'deleted id'), text: null }))
      const batch = this.#batch([...claimed, ...gone], 'claimed', run)
      if (batch) yield batch
    } while (start !== '0-0' && !run.signal.aborted)
  }

  /** What was trimmed before anybody read it: one ghost stands for all, and acking it counts them as read (hazard S11). */
  async *#unaccounted(connection: RedisConnection, run: Run): AsyncGenerator<Batch<T>> {
    const { stream, group } = this
    const entries = await countUnaccounted(connection, { stream, group })
    if (entries === 0) return
    this.#logger.error({ count: entries }, 'entries left the stream before they were read')
    yield makeBatch({
      stream,
      codec: this.#options.codec,
      stored: [{ id: '0-0', text: null }],
      held: new Set(),
      ack: async () => {
        const settled = await persist(() => settleUnaccounted(this.#redis, { stream, group, entries }), {
          what: `settle lost entries of ${stream}`,
          logger: this.#logger,
          signal: run.signal,
        })
        this.#metrics.unaccounted(settled)
      },
    })
  }

  async #new(connection: RedisConnection, run: Run, mostMs: number): Promise<Batch<T> | undefined> {
    const { blockMs, codec } = this.#options
    // BLOCK 0 would wait for ever.
    const block = Math.max(1, Math.floor(Math.min(blockMs, mostMs)))
    const read = this.#reads.begin()
    while (read.count > 0) {
      // Only the first read waits for entries.
      const how = read.entries.length === 0 ? ['BLOCK', String(block)] : []
      const reply = await this.#readGroup(connection, ['COUNT', String(read.count), ...how], '>', {
        timeoutMs: block + READ_GRACE_MS,
      })
      read.add(firstStream(reply, codec.field))
    }
    return this.#batch(read.entries, 'new', run)
  }

  async #readGroup(
    connection: RedisConnection,
    how: string[],
    from: string,
    options?: { timeoutMs: number },
  ): Promise<Reply> {
    const { consumer } = this.#options
    return await connection.command(
      ['XREADGROUP', 'GROUP', this.group, consumer, ...how, 'STREAMS', this.stream, from],
      options,
    )
  }

  #batch(entries: readonly StoredEntry[], delivery: Delivery, run: Run): Batch<T> | undefined {
    const stored = entries.filter(({ id }) => !run.held.has(id))
    if (stored.length === 0) return undefined
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
      ack: (ids) => this.#ack(ids, run.signal),
    })
  }

  async #ack(ids: string[], signal: AbortSignal): Promise<void> {
    const acked = await persist(() => ack(this.#redis, { stream: this.stream, group: this.group, ids }), {
      what: `ack entries of ${this.stream}`,
      logger: this.#logger,
      signal,
    })
    this.#metrics.acked(acked, ids.length)
  }
}

function firstStream(reply: Reply, field: string): StoredEntry[] {
  if (reply === null) return []
  const [stream] = asList(reply, 'read')
  return stream === undefined ? [] : asEntries(asList(stream, 'stream')[1], field)
}
