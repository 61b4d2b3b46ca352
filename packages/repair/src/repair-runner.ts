import { hastened } from '@millrace/failpoints'
import { PostgresLedger, type Database } from '@millrace/database'
import type { DidResolver, GuardedFetch } from '@millrace/identity'
import { fetchPage } from '@millrace/ingest'
import {
  noMeter,
  silentLogger,
  sleep,
  type Counter,
  type Gauge,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { auditRepo } from './audit-repo.ts'
import { compareListed, repairSteps } from './compare-listed.ts'
import type { Repair } from './repair.ts'
import { RepairStore } from './repair-store.ts'

export interface RepairRunnerOptions {
  database: Database
  resolver: Pick<DidResolver, 'resolve'>
  /** For repos and for pages of `listRepos`. */
  fetch: GuardedFetch
  /** The URL of a host that is named without its scheme. */
  hostUrl: (host: string) => string
  /** Repos asked for in one page. @default 1_000 */
  pageLimit?: number
  /** Repos fetched once more, to prove that a repair has made them whole. @default 20 */
  sampleSize?: number
  /** Repos that wait for repairs at which listing waits. @default 10_000 */
  maxBacklog?: number
  /** Pause when there is nothing to do, in milliseconds. @default 1_000 */
  idleMs?: number
  logger?: Logger
  meter?: Meter
}

/** Pauses while others do the work, and after a failure, in milliseconds. */
const WAIT_MS = 1_000
const FAILED_MS = hastened(10_000)
const LEASE_MS = hastened(120_000)
/** A repair that finds its own result wanting has what it found fetched anew, so many times. */
const ROUNDS = 3

/**
 * Works on repairs: lists the host's repos and compares their revisions with ours, has those fetched that moved, waits
 * until their rows are up to date, and fetches a sample once more to prove it. Work is proportional to what has moved.
 *
 * Everything it knows is in the database, so that it goes on after a crash, and any number of processes may run it. The
 * repos themselves are fetched by whoever reads the queue of marked accounts, after what is more urgent.
 */
export class RepairRunner implements Loop {
  readonly name = 'repair'
  readonly #options: Required<Omit<RepairRunnerOptions, 'logger' | 'meter'>>
  readonly #store: RepairStore
  readonly #logger: Logger
  readonly #listed: Counter
  readonly #diverged: Counter
  readonly #waiting: Gauge

  constructor({
    pageLimit = 1_000,
    sampleSize = 20,
    maxBacklog = 10_000,
    idleMs = 1_000,
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: RepairRunnerOptions) {
    this.#options = { ...rest, pageLimit, sampleSize, maxBacklog, idleMs }
    this.#store = new RepairStore(rest.database)
    this.#logger = logger.child({ component: 'repair' })
    this.#listed = meter.counter('millrace_repair_listed_total', 'Repos of hosts that were compared with ours', [
      'standing',
    ])
    for (const standing of ['current', 'moved', 'unknown', 'inactive', 'unchanged']) this.#listed.add(0, { standing })
    this.#diverged = meter.counter(
      'millrace_diverged_repos_total',
      'Repos whose rows were not what the repo is, at one revision',
    )
    this.#diverged.add(0)
    this.#waiting = meter.gauge('millrace_repair_waiting', 'Repos that wait to be fetched for repairs', [])
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let didSomething = false
      try {
        didSomething = await this.step(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#logger.warn({ err: error }, 'cannot work on repairs now')
      }
      if (!didSomething) await sleep(this.#options.idleMs, signal)
    }
  }

  /** One page, or one look at where a repair is. @returns false when there was nothing to do. */
  async step(signal: AbortSignal): Promise<boolean> {
    const repair = await this.#store.take(LEASE_MS)
    if (!repair) return false
    try {
      const pauseMs = await this.#advance(repair, signal)
      await this.#store.release(repair.id, pauseMs)
      return pauseMs === 0
    } catch (error) {
      if (signal.aborted) await this.#store.release(repair.id, 0)
      else await this.#store.release(repair.id, FAILED_MS, error instanceof Error ? error.message : String(error))
      throw error
    }
  }

  /** @returns how long to leave it alone. */
  async #advance(repair: Repair, signal: AbortSignal): Promise<number> {
    switch (repair.state) {
      case 'listing':
        return await this.#list(repair, signal)
      case 'fetching': {
        this.#waiting.set(repair.waiting)
        if (repair.waiting > 0) return WAIT_MS
        if (repair.dryRun) await this.#store.finish(repair.id)
        else await this.#store.setState(repair.id, 'verifying')
        return 0
      }
      case 'verifying':
        return await this.#verify(repair, signal)
      case 'done':
      case 'cancelled':
      default:
        return 0
    }
  }

  async #list(repair: Repair, signal: AbortSignal): Promise<number> {
    const { hostUrl, pageLimit: limit, fetch, maxBacklog } = this.#options
    if (!repair.dryRun && (await this.#store.backlog()) >= maxBacklog) return WAIT_MS
    const { host, cursor } = repair
    const { database } = this.#options
    const steps = await repairSteps(database)
    const page = await fetchPage({ host: hostUrl(host), cursor, limit, steps, timeoutMs: 30_000, fetch, signal })
    const compared = await compareListed(database, page, {
      sinceMs: repair.since?.getTime() ?? null,
      untilMs: repair.until?.getTime() ?? null,
      all: repair.reindex,
    })
    await this.#store.savePage(repair, compared, page.events.length, page.cursor)
    for (const [standing, count] of Object.entries(compared.counts)) this.#listed.add(count, { standing })
    if (page.cursor === null)
      this.#logger.info(
        { repair: repair.id, host, listed: repair.listed + page.events.length },
        'listed the repos of a host',
      )
    return 0
  }

  async #verify(repair: Repair, signal: AbortSignal): Promise<number> {
    const { sampleSize, database } = this.#options
    const dids = await this.#store.sample(sampleSize)
    let sampled = 0
    const diverged: string[] = []
    for (const did of dids) {
      try {
        const result = await auditRepo(did, { ...this.#options, signal })
        if (result.kind === 'same' || result.kind === 'diverged') sampled++
        if (result.kind !== 'diverged') continue
        diverged.push(did)
        const { there, missing, extra, stale } = result
        const fields = { did, rev: there.rev, missing: missing.length, extra: extra.length, stale: stale.length }
        this.#logger.error({ ...fields, example: missing[0] ?? extra[0] ?? stale[0] }, 'rows are not what the repo is')
      } catch (error) {
        signal.throwIfAborted()
        // A host that is away proves nothing: what it has is fetched when it is back.
        this.#logger.debug({ did, err: error }, 'cannot compare a repo now')
      }
    }
    await this.#store.addSample(repair.id, sampled, diverged.length)
    this.#diverged.add(diverged.length)
    if (diverged.length > 0 && repair.sampled < ROUNDS * sampleSize) {
      await markForReindex(database, diverged, repair.id)
      await this.#store.setState(repair.id, 'fetching')
      return WAIT_MS
    }
    await this.#store.finish(repair.id)
    this.#logger.info({ repair: repair.id, host: repair.host, sampled, diverged: diverged.length }, 'a repair is done')
    return 0
  }
}

/** Has repos fetched and their rows derived anew (hazard B20). */
async function markForReindex(database: Database, dids: readonly string[], repair?: number): Promise<void> {
  await new PostgresLedger({ database }).markDirty(dids.map((did) => ({ did, reason: 'diverged' })))
  await database.pool.query(
    'update millrace_dirty set reindex = true, repair = coalesce($2, repair), next_at = now() where did = any ($1::text[])',
    [dids, repair ?? null],
  )
}
