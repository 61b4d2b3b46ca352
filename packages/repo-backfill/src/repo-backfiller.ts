import { failpoint, hastened } from '@millrace/failpoints'
import { randomUUID } from 'node:crypto'
import { TemporaryIdentityError, type DidResolver, type GuardedFetch } from '@millrace/identity'
import {
  Backoff,
  hostWithoutScheme,
  noMeter,
  SEQ_BACKFILL,
  silentLogger,
  streamEventCodec,
  type AccountEvent,
  type BackfillEvent,
  type BackoffOptions,
  type Batch,
  type CollectionFilter,
  type BatchSource,
  type Entry,
  type EventSink,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { BackfillLedger, LedgerError, reasonOf } from './backfill-ledger.ts'
import { ByteBudget } from './byte-budget.ts'
import { textsOf, type LeftOutRecord } from './entry-chunk.ts'
import { TemporaryFetchError } from './errors.ts'
import type { FetchRepoLimits } from './fetch-repo.ts'
import { HostQueue } from './host-queue.ts'
import { HostBusyError, HostPacer } from './hosts/host-pacer.ts'
import { RepoTurns } from './hosts/repo-turns.ts'
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
  /**
   * Repos that may wait in memory, most of them for hosts: no more are read then. From half of that on, those whose own
   * host is away for long are marked in the ledger instead, to be fetched later. @default 1_000
   */
  maxWaiting?: number
  /** Events in one append. @default 500 */
  chunkSize?: number
  limits?: FetchRepoLimits
  /** Look at large repos. Without them, all is done in this thread. */
  workers?: RepoWorkers | undefined
  /** Memory for repos, to be shared by all who fetch some. @default one of its own */
  budget?: ByteBudget
  /** How often an invalid repo is tried before it is given up. @default 5 */
  attempts?: number
  /** Delays between these attempts. @default { minMs: 60_000, maxMs: 24 h } */
  retry?: BackoffOptions
  /** Which collections are taken, asked before each repo; nothing of the others is appended. @default all */
  collections?: () => Promise<CollectionFilter>
  /** Says when hosts may be asked; to be shared by all who ask them. @default one of its own */
  pacer?: HostPacer
  /** How soon repos are wanted whose entry does not say it; see `HostPacer.take`. @default 3 */
  priority?: number
  /** How long a host that fails is left alone. @default { minMs: 1_000, maxMs: 300_000 } */
  hostBackoff?: BackoffOptions
  logger?: Logger
  meter?: Meter
}

/** How the work of one process stands. What is done and failed counts since its start. */
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
/** A host that is away for longer is not waited for in memory, where there is little room. */
const LONG_MS = hastened(20_000)
/** A repo that has not come by then is no reason to begin no other one, up to so many. */
const SLOW_MS = hastened(10_000)
const ASIDE = 100
/** How long a repo waits that there is no room for. */
const LATER_MS = hastened(600_000)
/** Where work waits that the ledger did not take. */
const LEDGER = 'ledger'
/** Nobody else knows of a pacer that was not given: what holds is its limit upwards alone. */
const UNPACED = 1_000

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
    maxWaiting: number
    chunkSize: number
    attempts: number
    retry: BackoffOptions & { maxMs: number }
    hostBackoff: BackoffOptions
    pacer: HostPacer
    priority: number
  }
  readonly #ledger: BackfillLedger | undefined
  readonly #budget: ByteBudget
  readonly #logger: Logger
  readonly #metrics: BackfillMetrics
  readonly #counts = { done: 0, failed: 0, records: 0, bytes: 0 }
  /** Ids of entries that wait for another attempt; parked ones were given up, and there is no ledger to have them. */
  readonly #retrying = new Set<string>()
  readonly #parked = new Set<string>()
  #lastError: RepoBackfillerStatus['lastError'] = null
  #queue: HostQueue
  #paused = false
  /** Aborted from outside, or by a failure of the streams. */
  #signal = AbortSignal.abort()
  #end: (failure: unknown) => void = () => undefined

  constructor({
    concurrency = 2,
    perHost = concurrency,
    maxWaiting = 1_000,
    chunkSize = 500,
    budget = new ByteBudget(),
    attempts = 5,
    retry = {},
    hostBackoff = { minMs: 1_000, maxMs: hastened(300_000) },
    pacer = new HostPacer({ startPerSecond: UNPACED, backoff: hostBackoff }),
    priority = 3,
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: RepoBackfillerOptions) {
    this.name = `backfill ${rest.source.stream}`
    const delays = { minMs: hastened(60_000), maxMs: hastened(DAY_MS), ...retry }
    const fixed = { concurrency, perHost, maxWaiting, chunkSize, attempts, hostBackoff, pacer, priority }
    this.#options = { ...rest, ...fixed, retry: delays }
    this.#queue = this.#newQueue()
    this.#budget = budget
    this.#logger = logger.child({ component: 'repo-backfiller', stream: rest.source.stream })
    this.#metrics = backfillMetrics(meter)
    this.#ledger = rest.ledger && new BackfillLedger({ ledger: rest.ledger, logger: this.#logger })
  }

  /** @returns how the work stands in this process; asks nobody. */
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

  /** Begins no repo any more, until it is to go on; those that are under way are finished. */
  setPaused(paused: boolean): void {
    this.#paused = paused
    this.#queue.setPaused(paused)
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
    this.#queue.setPaused(this.#paused)
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
        const { concurrency, maxWaiting } = this.#options
        await this.#queue.untilReadyAtMost(concurrency, this.#signal, maxWaiting)
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
    return new HostQueue({ concurrency, perHost, aside: ASIDE + concurrency, backoff: hostBackoff })
  }

  #push(job: Job, lane: string): void {
    this.#queue.push(lane, (stepAside) => this.#work(job, lane, stepAside))
  }

  async #work(job: Job, lane: string, stepAside: () => void): Promise<void> {
    this.#retrying.delete(job.entry.id)
    this.#parked.delete(job.entry.id)
    this.#showGauges()
    try {
      await this.#attempt(job, stepAside)
      this.#succeeded(lane)
    } catch (error) {
      // Whatever broke because we stop is not a failure. The entry stays pending.
      if (!this.#signal.aborted) await this.#failed(job, error)
    } finally {
      this.#showGauges()
    }
  }

  async #attempt(job: Job, stepAside: () => void): Promise<void> {
    const { event } = job.entry
    if (event.active === false) {
      // Its host says that there is nothing to fetch (hazard B3).
      await this.#appendStatus(event, event.host, event.status)
      return this.#finish(job, 'inactive')
    }
    const { resolver, fetch, limits, workers, pacer, priority } = this.#options
    const signal = this.#signal
    const started = performance.now()
    // Before the repo is: what is taken by then, and was not, is fetched again by whoever has changed it (hazard I25).
    const collections = await this.#options.collections?.()
    await using turns = new RepoTurns({ pacer, priority: job.entry.priority ?? priority })
    using lease = this.#budget.open()
    // A repo that takes long to come takes nothing but memory meanwhile, which is bounded otherwise.
    const slow = setTimeout(stepAside, SLOW_MS)
    using loaded = await loadRepo(event, {
      resolver,
      fetch,
      signal,
      ...(limits && { limits }),
      workers,
      beforePart: (bytes) => lease.grow(bytes, signal),
      turns,
    }).finally(() => clearTimeout(slow))
    this.#succeeded(loaded.host)
    if (loaded.kind === 'unavailable') {
      await this.#appendStatus(event, loaded.host, loaded.status)
      return this.#finish(job, 'unavailable')
    }
    failpoint('backfiller.fetched')
    await this.#appendRepo(job, loaded, collections)
    failpoint('backfiller.finished')
    this.#metrics.seconds.observe((performance.now() - started) / 1000)
    return this.#finish(job, 'done')
  }

  /** One that does well is asked at once, unless it is not its turn. */
  #succeeded(host: string): void {
    if (this.#options.pacer.waitMs(host) === 0) this.#queue.succeeded(host)
  }

  async #appendRepo(
    job: Job,
    { repo, host, size }: LoadedRepo & { kind: 'repo' },
    collections: CollectionFilter | undefined,
  ): Promise<void> {
    const { chunkSize } = this.#options
    const { event: request } = job.entry
    const fetched = { host, time: new Date().toISOString(), run: randomUUID(), request }
    const chunks = repo.entries({ ...fetched, chunkSize, ...(collections && { collections: collections.patterns }) })
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
    await this.#ledger?.leaveOut(
      { batch, entry },
      host,
      leftOut.map(({ uri, reason, error }) => ({ uri, reason, error })),
    )
  }

  async #finish(job: Job, outcome: Outcome): Promise<void> {
    await this.#ack(job.batch, [job.entry.id])
    if (outcome !== 'later') this.#counts[outcome === 'dead-letter' || outcome === 'postponed' ? 'failed' : 'done']++
    this.#metrics.repos.add(1, { outcome })
    const { did, host } = job.entry.event
    this.#logger.debug({ did, host, outcome }, 'repo finished')
  }

  async #failed(job: Job, error: unknown): Promise<void> {
    const { did, host } = job.entry.event
    const { pacer } = this.#options
    // Nobody was asked, so that nothing has failed.
    if (error instanceof HostBusyError) return this.#wait(job, error.host, error.waitMs)
    this.#noteError(did, host, error)
    if (error instanceof TemporaryFetchError) {
      this.#metrics.retries.add(1, { cause: 'fetch' })
      this.#retrying.add(job.entry.id)
      return this.#wait(job, error.host, pacer.waitMs(error.host))
    }
    if (error instanceof TemporaryIdentityError) {
      if (error.wasAsked) this.#queue.failed(error.host, error.retryAfterMs)
      else this.#queue.postpone(error.host, error.retryAfterMs ?? 0)
      return this.#retry(job, 'identity', error.host)
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

  /** Waits for a host, here, or in the ledger where that is for long and there is little room. */
  async #wait(job: Job, host: string, waitMs: number): Promise<void> {
    const { maxWaiting, priority } = this.#options
    const { event, priority: own = priority } = job.entry
    const isCrowded = this.#queue.waiting * 2 >= maxWaiting
    // While a host that lists repos is away, whatever is read next would wait as well.
    if (!this.#ledger || !isCrowded || waitMs < LONG_MS || host === laneOf(event.host)) {
      this.#queue.postpone(host, waitMs)
      return this.#push(job, host)
    }
    try {
      await this.#ledger.postpone(event, { priority: own, waitMs: LATER_MS })
      this.#retrying.delete(job.entry.id)
      await this.#finish(job, 'later')
    } catch (error) {
      if (this.#signal.aborted) return
      this.#noteError(event.did, event.host, error)
      this.#retryForLedger(job)
    }
  }

  #retry(job: Job, cause: RetryCause, lane: string, delayMs = 0): void {
    this.#metrics.retries.add(1, { cause })
    this.#retrying.add(job.entry.id)
    if (delayMs === 0) this.#push(job, lane)
    else this.#queue.pushLater(lane, delayMs, (stepAside) => this.#work(job, lane, stepAside))
  }

  #retryForLedger(job: Job): void {
    this.#queue.failed(LEDGER)
    this.#retry(job, 'ledger', LEDGER)
  }

  async #giveUp(job: Job, error: unknown): Promise<void> {
    if (this.#ledger) return await this.#finish(job, await this.#ledger.giveUp(job, error))
    const { did, host } = job.entry.event
    const told = { did, host, reason: reasonOf(error), err: error }
    this.#logger.error(told, 'repo given up, and kept pending: there is no ledger')
    this.#parked.add(job.entry.id)
    const lane = laneOf(host)
    this.#queue.pushLater(lane, this.#options.retry.maxMs, (stepAside) => this.#work(job, lane, stepAside))
  }

  /** Entries that are no backfill events go to the ledger (hazard S20), or stay where they are. */
  #reject(batch: Batch<BackfillEvent>): void {
    const { rejected } = batch
    if (rejected.length === 0) return
    this.#metrics.rejected.add(rejected.length)
    this.#logger.error({ entries: rejected.length, entryId: rejected[0]?.id, err: rejected[0]?.error }, 'bad entries')
    const ledger = this.#ledger
    if (!ledger) return
    const task = async (): Promise<void> => {
      try {
        await ledger.reject(batch)
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
