import {
  Backoff,
  CursorConflictError,
  cursorKey,
  INGESTER_DONE,
  noMeter,
  silentLogger,
  sleep,
  type BackfillEvent,
  type BackoffOptions,
  type Counter,
  type CursorStore,
  type EventSink,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { hostLabel, hostWithScheme } from './host-url.ts'
import { fetchPage, ListPageError, type FetchPageOptions, type ListPage, type RejectedRow } from './list-page.ts'
import { allAccounts, type ListSteps } from './list-place.ts'
import { retrying } from './retry.ts'

export interface BackfillIngesterOptions {
  /** A relay or PDS, e.g. `bsky.network`. Reached over TLS unless it begins with `http://`. */
  host: string
  sink: EventSink<BackfillEvent>
  cursors: CursorStore
  /** Where rows go that cannot be read. Without it, they are counted and logged. */
  ledger?: Ledger | undefined
  /** @default globalThis.fetch */
  fetch?: FetchPageOptions['fetch']
  /**
   * List the repos that have records of these, with `com.atproto.sync.listReposByCollection`, which not all hosts have.
   * One that has records of several is listed several times, and of none the revision is known. @default all repos
   */
  collections?: readonly string[] | undefined
  /** Repos asked for in one page. @default 1_000 */
  pageLimit?: number
  /** Repos after which this process lists no more, as if there were none; the next one goes on. @default all */
  maxRepos?: number
  /**
   * Awaited before the first page. What is written to a repo between its listing and the start of its firehose would
   * be in neither, so the firehose has to be connected first. @default at once
   */
  ready?: (signal: AbortSignal) => Promise<void>
  /**
   * Which repos of a page are worth fetching: a listing that starts over asks for those alone that have moved (hazard
   * B2). A failure is waited out. @default all
   */
  select?: (listed: readonly BackfillEvent[]) => Promise<readonly BackfillEvent[]>
  /**
   * How often a host that is listed is looked at, in milliseconds: once its cursor was removed, it is listed again. 0: not
   * at all, and `run` resolves when all are listed. @default 0
   */
  watchMs?: number
  /** Time for one page, in milliseconds. @default 30_000 */
  timeoutMs?: number
  /** Delays after a failure. */
  backoff?: BackoffOptions
  logger?: Logger
  meter?: Meter
}

/** How the listing of a host's repos stands. */
export interface BackfillIngesterStatus {
  host: string
  state: 'listing' | 'waiting' | 'done'
  /** Why it is `waiting`. */
  reason?: string
  /** As stored; null before the first page, `!ingester-done` after the last one. */
  cursor: string | null
  /** Pages and repos of this process. */
  pages: number
  repos: number
  /** Failures in a row. */
  failures: number
}

/**
 * Lists the repos of one host with `com.atproto.sync.listRepos`, or by collection, and appends one event for each to a
 * stream.
 *
 * `run` resolves when all are listed, and at once if they were before. A page and the cursor of the next one are
 * appended in one step, so a restart neither skips a page nor repeats one. A page that fails is asked for again, for
 * ever. Cursors are opaque (hazard B1).
 */
export class BackfillIngester implements Loop {
  readonly name: string
  readonly #options: Required<Omit<BackfillIngesterOptions, 'ledger' | 'meter' | 'collections'>> & {
    ledger: Ledger | undefined
    steps: ListSteps
  }
  readonly #key: string
  readonly #logger: Logger
  readonly #backoff: Backoff
  readonly #labels: { stream: string; host: string }
  readonly #pages: Counter
  readonly #repos: Counter
  readonly #failures: Counter
  readonly #rejected: Counter
  readonly #status: BackfillIngesterStatus

  constructor({
    ledger,
    collections,
    fetch = globalThis.fetch,
    pageLimit = 1_000,
    maxRepos = Number.POSITIVE_INFINITY,
    ready = async () => undefined,
    select = async (listed) => listed,
    watchMs = 0,
    timeoutMs = 30_000,
    backoff = { minMs: 1_000, maxMs: 60_000 },
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: BackfillIngesterOptions) {
    const host = hostLabel(rest.host)
    const { stream } = rest.sink
    this.name = `list-repos ${host}`
    const steps = collections ?? allAccounts
    const given = { ledger, fetch, steps, pageLimit, maxRepos, ready, select, watchMs, timeoutMs, backoff, logger }
    this.#options = { ...rest, ...given }
    this.#key = cursorKey(stream, rest.host)
    this.#logger = logger.child({ component: 'backfill-ingester', host })
    this.#backoff = new Backoff(backoff)
    this.#labels = { stream, host }
    const counter = (name: string, help: string): Counter => {
      const made = meter.counter(name, help, ['stream', 'host'])
      made.add(0, this.#labels)
      return made
    }
    this.#pages = counter('millrace_list_repos_pages_total', 'Pages of repos appended')
    this.#repos = counter('millrace_list_repos_repos_total', 'Repos appended')
    this.#failures = counter(
      'millrace_list_repos_failures_total',
      'Pages that could not be had and were asked for again',
    )
    this.#rejected = counter('millrace_list_repos_rejected_total', 'Rows that could not be read')
    this.#status = { host, state: 'listing', cursor: null, pages: 0, repos: 0, failures: 0 }
  }

  /** @returns how the listing stands; a copy. */
  status(): BackfillIngesterStatus {
    return { ...this.#status }
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      Object.assign(this.#status, { state: 'waiting', reason: 'not ready' })
      await this.#options.ready(signal)
      this.#status.state = 'listing'
      delete this.#status.reason
      while (!signal.aborted) {
        const { cursors } = this.#options
        this.#status.cursor = await retrying(() => cursors.get(this.#key), this.#retry('read the cursor', signal))
        if (await this.#listFrom(signal)) {
          this.#status.state = 'done'
          this.#logger.info({ repos: this.#status.repos }, 'all repos are listed')
          if (this.#options.watchMs === 0) return
          await this.#untilRemoved(signal)
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #untilRemoved(signal: AbortSignal): Promise<void> {
    const { cursors, watchMs } = this.#options
    do {
      await sleep(watchMs, signal)
      if (signal.aborted) return
    } while ((await retrying(() => cursors.get(this.#key), this.#retry('read the cursor', signal))) !== null)
    Object.assign(this.#status, { state: 'listing', repos: 0 })
    this.#logger.warn({}, 'the cursor was removed: listing again')
  }

  /** Lists to the end, and says so; false when somebody else moved the cursor, or the signal is aborted. */
  async #listFrom(signal: AbortSignal): Promise<boolean> {
    while (this.#status.cursor !== INGESTER_DONE && this.#status.repos < this.#options.maxRepos) {
      if (signal.aborted) return false
      try {
        await this.#nextPage(signal)
      } catch (error) {
        if (error instanceof CursorConflictError) {
          this.#logger.warn({ err: error }, 'the stored cursor was moved: going on from there')
          return false
        }
        if (signal.aborted || !(error instanceof ListPageError)) throw error
        await this.#pause(error, signal)
      }
    }
    return true
  }

  async #nextPage(signal: AbortSignal): Promise<void> {
    const { host, pageLimit, maxRepos, sink, fetch, timeoutMs, steps } = this.#options
    const { cursor } = this.#status
    const limit = Math.min(pageLimit, maxRepos - this.#status.repos)
    const page = await fetchPage({ fetch, timeoutMs, host: hostWithScheme(host), cursor, limit, steps, signal })
    await this.#record(page, signal)
    const to = page.cursor ?? INGESTER_DONE
    const move = { key: this.#key, from: cursor, to }
    const selected = await retrying(
      () => this.#options.select(page.events),
      this.#retry('compare repos with ours', signal),
    )
    await retrying(
      () => sink.append(selected, { cursor: move, signal }),
      this.#retry(`append to ${sink.stream}`, signal),
    )
    this.#backoff.reset()
    const { events } = page
    this.#pages.add(1, this.#labels)
    this.#repos.add(events.length, this.#labels)
    const { pages, repos, host: label } = this.#status
    Object.assign(this.#status, { state: 'listing', cursor: to, failures: 0 })
    this.#status.pages = pages + 1
    this.#status.repos = repos + events.length
    delete this.#status.reason
    this.#logger.debug({ host: label, repos: events.length, cursor: to }, 'listed a page')
  }

  async #record({ rejected }: ListPage, signal: AbortSignal): Promise<void> {
    if (rejected.length === 0) return
    const { ledger, sink } = this.#options
    const { host, cursor } = this.#status
    this.#rejected.add(rejected.length, this.#labels)
    this.#logger.warn({ rows: rejected.length, error: rejected[0]?.error, cursor }, 'rows of a page cannot be read')
    if (!ledger) return
    const letter = ({ error, did, payload }: RejectedRow) => ({
      stream: sink.stream,
      entryId: `page ${cursor ?? 'first'}`,
      reason: 'bad-row',
      error,
      did,
      host,
      payload: payload.slice(0, 65_536),
    })
    await retrying(() => ledger.deadLetter(rejected.map(letter)), this.#retry('write dead letters', signal))
    const dirty = rejected.flatMap(({ did }) => (did === undefined ? [] : [{ did, reason: 'bad-row', host }]))
    if (dirty.length > 0) await retrying(() => ledger.markDirty(dirty), this.#retry('mark accounts', signal))
  }

  async #pause(error: ListPageError, signal: AbortSignal): Promise<void> {
    const delayMs = Math.max(this.#backoff.nextMs(), error.retryAfterMs)
    this.#failures.add(1, this.#labels)
    this.#status.state = 'waiting'
    this.#status.reason = error.message
    this.#status.failures = this.#backoff.attempt
    const fields = { err: error, cursor: this.#status.cursor, attempt: this.#backoff.attempt }
    this.#logger.warn({ ...fields, delayMs: Math.round(delayMs) }, 'cannot get a page of repos: waiting')
    await sleep(delayMs, signal)
  }

  #retry(what: string, signal: AbortSignal) {
    return { what, signal, logger: this.#logger, backoff: this.#options.backoff }
  }
}
