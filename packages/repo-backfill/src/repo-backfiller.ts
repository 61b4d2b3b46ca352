import { failpoint, hastened } from '@millrace/failpoints'
import { randomUUID } from 'node:crypto'
import { TemporaryIdentityError, type DidResolver, type GuardedFetch } from '@millrace/identity'
import {
  Backoff,
  backfillEventCodec,
  GHOST,
  hostWithoutScheme,
  noMeter,
  SEQ_BACKFILL,
  silentLogger,
  streamEventCodec,
  type AccountEvent,
  type BackfillEvent,
  type BackoffOptions,
  type Batch,
  type BatchSource,
  type DeadLetter,
  type Entry,
  type EventSink,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { ByteBudget } from './byte-budget.ts'
import { textsOf, type LeftOutRecord } from './entry-chunk.ts'
import { InvalidRepoError, TemporaryFetchError } from './errors.ts'
import type { FetchRepoLimits } from './fetch-repo.ts'
import { HostQueue } from './host-queue.ts'
import { loadRepo, type LoadedRepo } from './load-repo.ts'
import { backfillMetrics, type BackfillMetrics, type Outcome, type RetryCause } from './metrics.ts'
import type { RepoWorkers } from './repo-workers.ts'

export interface RepoBackfillerOptions {
  /** Repos to fetch. */
  source: BatchSource<BackfillEvent>
  /** Where their events go, as `streamEventCodec` writes them. */
  sink: EventSink<string>
  resolver: Pick<DidResolver, 'resolve'>
  /** Made by `createGuardedFetch`. */
  fetch: GuardedFetch
  /** Keeps what was given up. Without one, such entries stay pending and are tried again for ever, slowly. */
  ledger?: Ledger
  /** Repos that are worked on at once. @default 2 */
  concurrency?: number
  /** Repos of one host that are worked on at once. @default concurrency */
  perHost?: number
  /** Events in one append. @default 500 */
  chunkSize?: number
  limits?: FetchRepoLimits
  /** Look at large repos. Without them, all is done in this thread. */
  workers?: RepoWorkers | undefined
  /** Bytes of repos held in memory at once; one repo may exceed it. @default 1 GiB */
  maxBufferedBytes?: number
  /** How often an invalid repo is tried before it is given up. @default 5 */
  attempts?: number
  /** Delays between these attempts. @default { minMs: 60_000, maxMs: 24 h } */
  retry?: BackoffOptions
  /** How long a host that fails is left alone. @default { minMs: 1_000, maxMs: 300_000 } */
  hostBackoff?: BackoffOptions
  logger?: Logger
  meter?: Meter
}

export interface RepoBackfillerStatus {
  /** Read, and waiting for the first attempt. */
  queued: number
  running: number
  /** Finished, with their records or with the status of an account that is not to be seen. */
  done: number
  /** Given up: in the ledger, or without one still pending. */
  failed: number
  /** Waiting for another attempt. */
  retrying: number
  records: number
  bytes: number
  lastError: { did: string; host: string; message: string; time: string } | null
}

/** A repo on its way. */
interface Job {
  batch: Batch<BackfillEvent>
  entry: Entry<BackfillEvent>
  /** Attempts that showed the repo to be invalid. Failures of hosts do not count (hazard G9). */
  invalid: number
  backoff: Backoff
}

const DAY_MS = 24 * 3_600_000
const MAX_PAYLOAD = 64 * 1024
/** Where work waits that the ledger did not take. */
const LEDGER = 'ledger'

/** The ledger did not answer: what it should keep is kept in the stream until it does. */
class LedgerError extends Error {
  override readonly name = 'LedgerError'
}

/**
 * Reads which repos to fetch, fetches and verifies each, and appends its records as events.
 *
 * An entry is acked after all events of its repo were appended, or after the ledger has it: a crash repeats repos, and
 * loses none. Nothing of a repo is appended before all of it was verified (hazard B8). A host that fails delays its own
 * repos only, and a slow repo nobody's but its own (hazard S16). `run` rejects when the streams do.
 */
export class RepoBackfiller implements Loop {
  readonly name: string
  readonly #options: RepoBackfillerOptions & {
    concurrency: number
    perHost: number
    chunkSize: number
    attempts: number
    retry: BackoffOptions & { maxMs: number }
    hostBackoff: BackoffOptions
  }
  readonly #budget: ByteBudget
  readonly #logger: Logger
  readonly #metrics: BackfillMetrics
  readonly #counts = { done: 0, failed: 0, records: 0, bytes: 0 }
  /** Ids of entries that wait for another attempt; parked ones were given up, and there is no ledger to have them. */
  readonly #retrying = new Set<string>()
  readonly #parked = new Set<string>()
  #lastError: RepoBackfillerStatus['lastError'] = null
  #queue: HostQueue
  /** Aborted from outside, or by a failure of the streams. */
  #signal = AbortSignal.abort()
  #end: (failure: unknown) => void = () => undefined

  constructor({
    concurrency = 2,
    perHost = concurrency,
    chunkSize = 500,
    maxBufferedBytes = 1024 ** 3,
    attempts = 5,
    retry = {},
    hostBackoff = { minMs: 1_000, maxMs: hastened(300_000) },
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: RepoBackfillerOptions) {
    this.name = `backfill ${rest.source.stream}`
    const delays = { minMs: hastened(60_000), maxMs: hastened(DAY_MS), ...retry }
    this.#options = { ...rest, concurrency, perHost, chunkSize, attempts, retry: delays, hostBackoff }
    this.#queue = this.#newQueue()
    this.#budget = new ByteBudget(maxBufferedBytes)
    this.#logger = logger.child({ component: 'repo-backfiller', stream: rest.source.stream })
    this.#metrics = backfillMetrics(meter)
  }

  status(): RepoBackfillerStatus {
    const { waiting, running } = this.#queue
    const retrying = this.#retrying.size
    const parked = this.#parked.size
    const { done, failed, records, bytes } = this.#counts
    return {
      queued: Math.max(0, waiting - retrying - parked),
      running,
      done,
      failed: failed + parked,
      retrying,
      records,
      bytes,
      lastError: this.#lastError,
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const own = new AbortController()
    let failure: { cause: unknown } | undefined
    this.#end = (cause) => {
      failure ??= { cause }
      own.abort(cause)
    }
    this.#signal = AbortSignal.any([signal, own.signal])
    this.#queue = this.#newQueue()
    try {
      for await (const batch of this.#options.source.batches(this.#signal)) {
        this.#reject(batch)
        for (const entry of batch.entries) {
          const backoff = new Backoff(this.#options.retry)
          this.#push({ batch, entry, invalid: 0, backoff }, laneOf(entry.event.host))
        }
        this.#showGauges()
        // Entries that wait for their host are passed by; of the others, what we cannot take on is left to consumers
        // that can.
        await this.#queue.untilReadyAtMost(this.#options.concurrency, this.#signal)
      }
    } finally {
      await this.#queue.stop()
      this.#retrying.clear()
      this.#parked.clear()
      this.#showGauges()
    }
    if (failure) throw failure.cause
  }

  #newQueue(): HostQueue {
    const { concurrency, perHost, hostBackoff } = this.#options
    return new HostQueue({ concurrency, perHost, backoff: hostBackoff })
  }

  #push(job: Job, lane: string): void {
    this.#queue.push(lane, () => this.#work(job, lane))
  }

  async #work(job: Job, lane: string): Promise<void> {
    this.#retrying.delete(job.entry.id)
    this.#parked.delete(job.entry.id)
    this.#showGauges()
    try {
      await this.#attempt(job)
      this.#queue.succeeded(lane)
    } catch (error) {
      // Whatever broke because we stop is not a failure. The entry stays pending.
      if (!this.#signal.aborted) await this.#failed(job, error)
    } finally {
      this.#showGauges()
    }
  }

  async #attempt(job: Job): Promise<void> {
    const { event } = job.entry
    if (event.active === false) {
      // Its host says that there is nothing to fetch (hazard B3).
      await this.#appendStatus(event, event.host, event.status)
      return this.#finish(job, 'inactive')
    }
    const { resolver, fetch, limits, workers } = this.#options
    const signal = this.#signal
    const started = performance.now()
    using lease = this.#budget.open()
    using loaded = await loadRepo(event, {
      resolver,
      fetch,
      signal,
      ...(limits && { limits }),
      workers,
      beforePart: (bytes) => lease.grow(bytes, signal),
      isLeftAlone: (host) => this.#queue.isHeld(host),
    })
    this.#queue.succeeded(loaded.host)
    if (loaded.kind === 'unavailable') {
      await this.#appendStatus(event, loaded.host, loaded.status)
      return this.#finish(job, 'unavailable')
    }
    failpoint('backfiller.fetched')
    await this.#appendRepo(job, loaded)
    failpoint('backfiller.finished')
    this.#metrics.seconds.observe((performance.now() - started) / 1000)
    return this.#finish(job, 'done')
  }

  async #appendRepo(job: Job, { repo, host, size }: LoadedRepo & { kind: 'repo' }): Promise<void> {
    const { chunkSize } = this.#options
    const time = new Date().toISOString()
    const chunks = repo.entries({ host, time, run: randomUUID(), request: job.entry.event, chunkSize })
    // The closing event goes alone, after everything else was accepted (hazard B10).
    for await (const chunk of chunks) {
      await this.#keepLeftOut(job, host, chunk.leftOut)
      await this.#append(textsOf(chunk))
      if (chunk.isLast) continue
      failpoint('backfiller.appended')
      this.#counts.records += chunk.records
      this.#metrics.records.add(chunk.records)
    }
    this.#counts.bytes += size
    this.#metrics.bytes.add(size)
  }

  async #appendStatus({ did }: BackfillEvent, host: string, status: string | undefined): Promise<void> {
    const time = new Date().toISOString()
    const event: AccountEvent = {
      type: 'account',
      seq: SEQ_BACKFILL,
      time,
      did,
      active: false,
      ...(status !== undefined && { status }),
      host: hostWithoutScheme(host),
    }
    await this.#append([streamEventCodec.encode(event)])
  }

  async #keepLeftOut({ entry, batch }: Job, host: string, leftOut: readonly LeftOutRecord[]): Promise<void> {
    if (leftOut.length === 0) return
    this.#metrics.leftOut.add(leftOut.length)
    const { did } = entry.event
    this.#logger.warn({ did, host, records: leftOut.length, uri: leftOut[0]?.uri }, 'records cannot be carried')
    const payload = backfillEventCodec.encode(entry.event)
    await this.#keep(
      leftOut.map(({ uri, reason, error }) => ({
        stream: batch.stream,
        entryId: entry.id,
        reason,
        error,
        did,
        uri,
        host,
        payload,
      })),
    )
  }

  async #finish(job: Job, outcome: Outcome): Promise<void> {
    await this.#ack(job.batch, [job.entry.id])
    this.#counts[outcome === 'dead-letter' || outcome === 'postponed' ? 'failed' : 'done']++
    this.#metrics.repos.add(1, { outcome })
    const { did, host } = job.entry.event
    this.#logger.debug({ did, host, outcome }, 'repo finished')
  }

  async #failed(job: Job, error: unknown): Promise<void> {
    const { did, host } = job.entry.event
    this.#noteError(did, host, error)
    if (error instanceof TemporaryFetchError || error instanceof TemporaryIdentityError) {
      const { retryAfterMs = 0 } = error
      if (error.wasAsked) this.#queue.failed(error.host, retryAfterMs)
      else this.#queue.postpone(error.host, retryAfterMs)
      const cause = error instanceof TemporaryFetchError ? 'fetch' : 'identity'
      return this.#retry(job, cause, error.host)
    }
    if (error instanceof LedgerError) return this.#retryForLedger(job)
    job.invalid++
    if (job.invalid < this.#options.attempts) return this.#retry(job, 'invalid', laneOf(host), job.backoff.nextMs())
    try {
      await this.#giveUp(job, error)
    } catch (ledgerError) {
      if (this.#signal.aborted) return
      if (!(ledgerError instanceof LedgerError)) return this.#end(ledgerError)
      this.#noteError(did, host, ledgerError)
      this.#retryForLedger(job)
    }
  }

  #retry(job: Job, cause: RetryCause, lane: string, delayMs = 0): void {
    this.#metrics.retries.add(1, { cause })
    this.#retrying.add(job.entry.id)
    if (delayMs === 0) this.#push(job, lane)
    else this.#queue.pushLater(lane, delayMs, () => this.#work(job, lane))
  }

  #retryForLedger(job: Job): void {
    this.#queue.failed(LEDGER)
    this.#retry(job, 'ledger', LEDGER)
  }

  async #giveUp(job: Job, error: unknown): Promise<void> {
    const { batch, entry } = job
    const { did, host, rev } = entry.event
    const message = error instanceof Error ? error.message : String(error)
    const reason = error instanceof InvalidRepoError ? error.reason : 'unexpected'
    const { ledger, retry } = this.#options
    if (!ledger) {
      this.#logger.error({ did, host, reason, err: error }, 'repo given up, and kept pending: there is no ledger')
      this.#parked.add(entry.id)
      const lane = laneOf(host)
      this.#queue.pushLater(lane, retry.maxMs, () => this.#work(job, lane))
      return
    }
    if (reason === 'future-rev') {
      // Who is right, our clock or theirs, shows later: it is looked at again, and nothing is given up (hazard J13).
      await this.#inLedger(ledger.markDirty([{ did, reason, host, rev }]))
      return await this.#finish(job, 'postponed')
    }
    this.#logger.error({ did, host, reason, err: error }, 'repo given up')
    const payload = backfillEventCodec.encode(entry.event)
    await this.#keep([{ stream: batch.stream, entryId: entry.id, reason, error: message, did, host, payload }])
    await this.#inLedger(ledger.markDirty([{ did, reason: 'invalid-repo', host, rev }]))
    await this.#finish(job, 'dead-letter')
  }

  /** Entries that are no backfill events go to the ledger (hazard S20), or stay where they are. */
  #reject(batch: Batch<BackfillEvent>): void {
    const { rejected, stream } = batch
    if (rejected.length === 0) return
    this.#metrics.rejected.add(rejected.length)
    this.#logger.error({ entries: rejected.length, entryId: rejected[0]?.id, err: rejected[0]?.error }, 'bad entries')
    const { ledger } = this.#options
    if (!ledger) return
    const undecodable = rejected.filter(({ error }) => error.reason !== GHOST)
    const letters = undecodable.map(({ id, raw, error }) => ({
      stream,
      entryId: id,
      reason: error.reason,
      error: error.message,
      did: error.did,
      payload: (raw ?? '').slice(0, MAX_PAYLOAD),
    }))
    const marks = rejected.flatMap(({ error }) => (error.did ? [{ did: error.did, reason: 'bad-entry' }] : []))
    const task = async (): Promise<void> => {
      try {
        if (letters.length > 0) await this.#keep(letters)
        // Which repo it asked for is lost with it: every host is compared (hazard S10).
        if (letters.length < rejected.length)
          await this.#inLedger(ledger.recordGap({ host: '', stream, reason: 'lost-entries' }))
        if (marks.length > 0) await this.#inLedger(ledger.markDirty(marks))
        this.#queue.succeeded(LEDGER)
        await this.#ack(
          batch,
          rejected.map(({ id }) => id),
        )
      } catch (error) {
        if (this.#signal.aborted) return
        this.#noteError('', '', error)
        this.#queue.failed(LEDGER)
        this.#queue.push(LEDGER, task)
      }
    }
    this.#queue.push(LEDGER, task)
  }

  async #keep(letters: readonly DeadLetter[]): Promise<void> {
    const { ledger } = this.#options
    if (ledger) await this.#inLedger(ledger.deadLetter(letters))
  }

  async #inLedger(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (cause) {
      throw new LedgerError('the ledger did not take it', { cause })
    }
  }

  async #append(texts: readonly string[]): Promise<void> {
    this.#signal.throwIfAborted()
    await this.#inStreams(this.#options.sink.append(texts, { signal: this.#signal }))
  }

  async #ack(batch: Batch<BackfillEvent>, ids: readonly string[]): Promise<void> {
    await this.#inStreams(batch.ack(ids))
  }

  /** Streams wait their own troubles out: what they throw is final, and ends the loop. */
  async #inStreams(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!this.#signal.aborted) this.#end(error)
      throw error
    }
  }

  #noteError(did: string, host: string, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#lastError = { did, host, message, time: new Date().toISOString() }
    this.#logger.warn({ did, host, err: error }, 'repo not done')
  }

  #showGauges(): void {
    this.#metrics.running.set(this.#queue.running)
    this.#metrics.waiting.set(this.#queue.waiting)
  }
}

/** Hosts take turns by origin. */
function laneOf(host: string): string {
  return URL.canParse(host) ? new URL(host).origin : host
}
