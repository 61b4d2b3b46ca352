import { failpoint, hastened, isGuarded } from '@millrace/failpoints'
import { classifyError, isTooMuchAtOnce } from '@millrace/database'
import {
  Backoff,
  type BackoffOptions,
  GHOST,
  noMeter,
  silentLogger,
  sleep,
  type Batch,
  type BatchSource,
  type Counter,
  type DeadLetter,
  type Entry,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { FailureShare } from './failure-share.ts'

/** Why an entry was given up: the database refuses what is in it, or nobody knows. */
export type GiveUpReason = 'refused-by-database' | 'failed'

export interface StreamLoopOptions<T> {
  source: BatchSource<T>
  ledger: Ledger
  /** Transactions at once, each with accounts of its own. @default 2 */
  concurrency?: number
  /**
   * Pauses between the tries of what fails for no known reason: a batch is tried twice before it is halved, an entry
   * alone six times before it is given up (hazard G9). @default { minMs: 2_000, maxMs: 60_000 }
   */
  doubt?: BackoffOptions
  /**
   * The source holds what was given up before: it may all fail again, and is kept if it does, so that the loop never
   * waits for us to fail less. @default false
   */
  replays?: boolean
  logger?: Logger
  meter?: Meter
}

/** Entries of a batch that are not worth more than one transaction. */
const SHORT_BATCH = 100
/** Batches that are read and not done: the next is at hand when one is. */
const MOST_OPEN = 2

/**
 * Reads batches, has them applied, and acks them after their effects are durable (hazard G3).
 *
 * A long batch is divided between lanes by what its entries are about, and each lane applies its part as a transaction
 * of its own, after its part of the batch before: what belongs together keeps its order (hazard X16), and lanes do not
 * wait for each other's rows. A short batch goes as a whole, and nothing is read beside it, so that what is appended
 * meanwhile makes one batch and not many.
 *
 * A failing batch is tried again for as long as the failure is one of a service or of ourselves: nothing is given up
 * for an outage (hazards G9, G10). A batch that fails for what is in it is halved until the bad entry is alone; that
 * one goes to the dead letters, its neighbours are applied (hazard X5). One that is too much for the database is halved
 * as well. When too many entries fail for no known reason,
 * it is we who fail: no more is given up then, and the stream waits for us.
 */
export abstract class StreamLoop<T> implements Loop {
  readonly name: string
  protected readonly ledger: Ledger
  protected readonly logger: Logger
  readonly #source: BatchSource<T>
  readonly #concurrency: number
  readonly #doubt: BackoffOptions
  readonly #deadLetters: Counter
  readonly #retries: Counter
  readonly #failures: FailureShare | undefined
  #entries = 0
  #lastAckAt: number | null = null
  #lastStepAt: number | null = null

  protected constructor(
    name: string,
    {
      source,
      ledger,
      concurrency = 2,
      doubt = { minMs: hastened(2_000), maxMs: hastened(60_000) },
      replays = false,
      logger = silentLogger,
      meter = noMeter,
    }: StreamLoopOptions<T>,
  ) {
    this.name = `${name} ${source.stream}`
    this.ledger = ledger
    this.logger = logger.child({ component: name, stream: source.stream })
    this.#source = source
    this.#concurrency = concurrency
    this.#doubt = doubt
    this.#failures = replays ? undefined : new FailureShare()
    this.#deadLetters = meter.counter('millrace_index_dead_letters_total', 'Entries given up, by reason', [
      'stream',
      'reason',
    ])
    this.#retries = meter.counter('millrace_index_retries_total', 'Batches tried again, by kind of failure', [
      'stream',
      'kind',
    ])
    for (const kind of ['transient', 'ours', 'unknown']) this.#retries.add(0, { stream: source.stream, kind })
  }

  /** Applies entries of one batch as one transaction; rejects without any effect. */
  protected abstract apply(entries: readonly Entry<T>[]): Promise<void>

  /** What a dead letter says of an entry that was given up. */
  protected abstract describe(event: T): Pick<DeadLetter, 'did' | 'uri' | 'host' | 'payload'>

  /** Called once an entry is in the dead letters: settles what it leaves behind. May be called again. */
  protected async gaveUp(_entry: Entry<T>, _reason: GiveUpReason): Promise<void> {}

  /** What an event is about: events with one text are applied in their order. */
  protected abstract topicOf(event: T): string

  /** Keeps entries of a batch that was applied without them, each with its reason. */
  protected async keepRejected(
    entries: readonly Entry<T>[],
    rejected: readonly { index: number; reason: string; error: string }[],
  ): Promise<void> {
    if (rejected.length === 0) return
    await this.ledger.deadLetter(
      rejected.map(({ index, reason, error }): DeadLetter => {
        const { id, event } = entries[index]!
        return { stream: this.#source.stream, entryId: id, reason, error, ...this.describe(event) }
      }),
    )
    for (const { reason } of rejected) this.#deadLetters.add(1, { stream: this.#source.stream, reason })
  }

  /** Entries that left the stream through this loop, and when the last ones did (milliseconds since 1970). */
  status(): { entries: number; lastAckAt: number | null } {
    return { entries: this.#entries, lastAckAt: this.#lastAckAt }
  }

  lastStepAt(): number | null {
    return this.#lastStepAt
  }

  async run(signal: AbortSignal): Promise<void> {
    // Work that a run before this one has left is not in hand any more.
    this.#lastStepAt = null
    const failed = new AbortController()
    const stop = AbortSignal.any([signal, failed.signal])
    const lanes: Promise<void>[] = Array.from({ length: this.#concurrency }, () => Promise.resolve())
    const open = new Set<Promise<unknown>>()
    for await (const batch of this.#source.batches(stop)) {
      this.#lastStepAt ??= performance.now()
      const isShort = batch.entries.length <= SHORT_BATCH
      const parts = isShort ? [batch.entries] : this.#divide(batch.entries)
      const done = parts.map(async (part, index) => {
        // The one part of a short batch comes after all lanes, and all lanes after it.
        await (isShort ? Promise.all(lanes) : lanes[index])
        if (!stop.aborted) await this.#apply(part, batch, stop).catch((error: unknown) => failed.abort(error))
      })
      for (const index of lanes.keys()) lanes[index] = done[isShort ? 0 : index]!
      const rejecting = this.#reject(batch, stop).catch((error: unknown) => failed.abort(error))
      const work: Promise<unknown> = Promise.all([...done, rejecting]).then(() => {
        open.delete(work)
        if (open.size === 0) this.#lastStepAt = null
      })
      open.add(work)
      while (open.size >= (isShort ? 1 : MOST_OPEN)) await Promise.race(open)
    }
    await Promise.all(open)
    if (failed.signal.aborted) throw failed.signal.reason
  }

  #step(): void {
    if (this.#lastStepAt !== null) this.#lastStepAt = performance.now()
  }

  /** A part for each lane, in the order of the stream. */
  #divide(entries: readonly Entry<T>[]): Entry<T>[][] {
    const parts: Entry<T>[][] = Array.from({ length: this.#concurrency }, () => [])
    for (const entry of entries) parts[laneOf(this.topicOf(entry.event), this.#concurrency)]!.push(entry)
    return parts
  }

  async #apply(entries: readonly Entry<T>[], batch: Batch<T>, signal: AbortSignal): Promise<void> {
    failpoint('indexer.read')
    if (!isGuarded('ack-after-commit')) await batch.ack(entries.map(({ id }) => id))
    if (entries.length === 0 || !(await this.#applyAll(entries, batch.stream, signal))) return
    failpoint('indexer.committed')
    await this.#ack(
      batch,
      entries.map(({ id }) => id),
    )
    failpoint('indexer.acknowledged')
  }

  async #reject(batch: Batch<T>, signal: AbortSignal): Promise<void> {
    await this.#recordGhosts(batch, signal)
    await this.#keepUndecodable(batch, signal)
  }

  /** What ghosts said is lost, and nobody knows whose it was: every host is compared again (hazard S10). */
  async #recordGhosts(batch: Batch<T>, signal: AbortSignal): Promise<void> {
    const ghosts = batch.rejected.filter(({ error }) => error.reason === GHOST)
    if (ghosts.length === 0) return
    const isKept = await this.#insist(signal, async () => {
      await this.ledger.recordGap({ host: '', stream: batch.stream, reason: 'lost-entries' })
    })
    if (!isKept) return
    await this.#ack(
      batch,
      ghosts.map(({ id }) => id),
    )
  }

  async #keepUndecodable(batch: Batch<T>, signal: AbortSignal): Promise<void> {
    const undecodable = batch.rejected.filter(({ error }) => error.reason !== GHOST)
    if (undecodable.length === 0) return
    const letters = undecodable.map(({ id, raw, error }): DeadLetter => ({
      stream: batch.stream,
      entryId: id,
      reason: error.reason,
      error: error.message,
      did: error.did,
      payload: raw ?? '',
    }))
    const did = new Set(undecodable.flatMap(({ error }) => error.did ?? []))
    const isKept = await this.#insist(signal, async () => {
      await this.ledger.deadLetter(letters)
      if (did.size > 0)
        await this.ledger.markDirty([...did].map((each) => ({ did: each, reason: 'undecodable-entry' })))
      if (undecodable.some(({ error }) => error.did === undefined))
        await this.ledger.recordGap({ host: '', stream: batch.stream, reason: 'undecodable-entry' })
    })
    // Not acked before they are in the ledger, also when we are stopped over it.
    if (!isKept) return
    for (const { error } of undecodable) this.#deadLetters.add(1, { stream: batch.stream, reason: error.reason })
    await this.#ack(
      batch,
      undecodable.map(({ id }) => id),
    )
  }

  async #ack(batch: Batch<T>, ids: readonly string[]): Promise<void> {
    await batch.ack(ids)
    this.#entries += ids.length
    this.#lastAckAt = Date.now()
    this.#step()
  }

  /** False when the signal came first: the entries stay in the stream. */
  async #applyAll(entries: readonly Entry<T>[], stream: string, signal: AbortSignal): Promise<boolean> {
    if (entries.length === 0) return true
    const backoff = new Backoff({ minMs: 100, maxMs: hastened(30_000) })
    const doubt = new Backoff(this.#doubt)
    let isCounted = false
    for (;;) {
      this.#step()
      try {
        await this.apply(entries)
        this.#failures?.addApplied(entries.length)
        return true
      } catch (error) {
        const known = classifyError(error)
        const isHopeless = known === 'content' || (known === 'unknown' && doubt.attempt >= (entries.length > 1 ? 1 : 5))
        if ((isHopeless || isTooMuchAtOnce(error)) && entries.length > 1 && isGuarded('halving')) {
          const middle = Math.ceil(entries.length / 2)
          return (
            (await this.#applyAll(entries.slice(0, middle), stream, signal)) &&
            (await this.#applyAll(entries.slice(middle), stream, signal))
          )
        }
        if (isHopeless && known === 'unknown' && !isCounted) {
          this.#failures?.addFailed()
          isCounted = true
        }
        const isOurs = isHopeless && known === 'unknown' && (this.#failures?.isOurs() ?? false)
        if (isHopeless && !isOurs) return this.#giveUp(entries[0]!, stream, known, error as Error, signal)
        const kind = isOurs ? 'ours' : known
        this.#retries.add(1, { stream, kind })
        const waitMs = kind === 'unknown' ? doubt.nextMs() : backoff.nextMs()
        this.logger[kind === 'transient' ? 'warn' : 'error'](
          {
            err: error,
            kind,
            entries: entries.length,
            waitMs: Math.round(waitMs),
            ...(isOurs && { alarm: 'failures' }),
          },
          isOurs
            ? 'too many entries fail for no known reason: none is given up any more, and this one is tried until it passes'
            : 'cannot apply a batch; trying again',
        )
        await sleep(waitMs, signal)
        if (signal.aborted) return false
      }
    }
  }

  async #giveUp(entry: Entry<T>, stream: string, kind: string, error: Error, signal: AbortSignal): Promise<boolean> {
    const { id, event } = entry
    const reason: GiveUpReason = kind === 'content' ? 'refused-by-database' : 'failed'
    const letter: DeadLetter = { stream, entryId: id, reason, error: error.message, ...this.describe(event) }
    this.logger.error({ err: error, entry: id, did: letter.did }, 'gave up an entry; it is in the dead letters')
    const done = await this.#insist(signal, async () => {
      await this.ledger.deadLetter([letter])
      // Fetched again, what the database refuses would be refused again.
      if (letter.did !== undefined && reason === 'failed')
        await this.ledger.markDirty([{ did: letter.did, reason, host: letter.host }])
      await this.#settleGivenUp(entry, reason)
    })
    if (done) this.#deadLetters.add(1, { stream, reason })
    return done
  }

  /** What is in the dead letters may fail once more: an outage is waited out, all else leaves it at the dead letter. */
  async #settleGivenUp(entry: Entry<T>, reason: GiveUpReason): Promise<void> {
    try {
      await this.gaveUp(entry, reason)
    } catch (error) {
      const kind = classifyError(error)
      if (kind === 'transient' || kind === 'ours') throw error
      this.logger.error({ err: error, entry: entry.id }, 'cannot settle what a given up entry leaves behind')
    }
  }

  /** The ledger is the last resort: what it should remember is not let go before it does. */
  async #insist(signal: AbortSignal, write: () => Promise<void>): Promise<boolean> {
    const backoff = new Backoff({ minMs: 100, maxMs: hastened(30_000) })
    while (!signal.aborted) {
      try {
        await write()
        return true
      } catch (error) {
        this.#step()
        this.logger.error({ err: error }, 'cannot write to the ledger; trying again')
        await sleep(backoff.nextMs(), signal)
      }
    }
    return false
  }
}

/** The same lane for the same text. DIDs differ in their last characters. */
function laneOf(text: string, lanes: number): number {
  let hash = 0
  for (let index = Math.max(0, text.length - 16); index < text.length; index++)
    hash = (hash * 31 + text.charCodeAt(index)) >>> 0
  return hash % lanes
}
