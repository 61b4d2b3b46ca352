import { hastened } from '@millrace/failpoints'
import { closeUnfinishedRuns, type Database } from '@millrace/database'
import {
  noMeter,
  silentLogger,
  sleep,
  type Counter,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import type { IndexingService } from './indexing-service.ts'

export interface RepoJanitorOptions {
  database: Database
  indexing: IndexingService
  /**
   * How long a commit waits for the one before it, in milliseconds. Longer than it takes until another consumer has
   * claimed what a dead one had. @default 3 min
   */
  patienceMs?: number
  /** How long a run may be without a new record, in milliseconds, before its repo is fetched again. @default 1 h */
  staleRunMs?: number
  /** @default 10_000 */
  intervalMs?: number
  logger?: Logger
  meter?: Meter
}

/** Repos in one look: the next one follows at once when there are more. */
const BATCH = 100

/**
 * Finds repos that wait for what does not come: commits whose predecessor is lost, runs that nobody goes on with (hazard
 * B13), sweeps that a crash has cut short. Any number of processes may run it.
 */
export class RepoJanitor implements Loop {
  readonly name = 'repo-janitor'
  readonly #options: Required<Omit<RepoJanitorOptions, 'logger' | 'meter'>>
  readonly #logger: Logger
  readonly #found: Counter

  constructor({
    patienceMs = hastened(180_000),
    staleRunMs = hastened(3_600_000),
    intervalMs = hastened(10_000),
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: RepoJanitorOptions) {
    this.#options = { ...rest, patienceMs, staleRunMs, intervalMs }
    this.#logger = logger.child({ component: this.name })
    this.#found = meter.counter('millrace_repos_stuck_total', 'Repos that waited in vain, by what for', ['for'])
    for (const what of ['commit', 'run', 'sweep']) this.#found.add(0, { for: what })
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let found = 0
      try {
        found = await this.tidy()
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot look after repos now')
      }
      if (found < BATCH) await sleep(this.#options.intervalMs, signal)
    }
  }

  /** One look. @returns how many repos it settled. */
  async tidy(): Promise<number> {
    const { database, indexing, patienceMs, staleRunMs } = this.#options
    const late = await this.#dids(
      'select distinct did from millrace_commit where at < now() - make_interval(secs => $1) limit $2',
      patienceMs,
    )
    for (const did of late) await indexing.settleRepo(did, { impatient: true })
    const cut = await this.#dids(
      `select did from millrace_run where updated_at < now() - make_interval(secs => $1)
         and (records = 0 or seen @> int4range(0, records)) limit $2`,
      Math.min(patienceMs, staleRunMs),
    )
    for (const did of cut) await indexing.settleRepo(did)
    const stale = await database.transaction((client) =>
      closeUnfinishedRuns(client, { idleMs: staleRunMs, limit: BATCH, skipLocked: true }),
    )
    this.#found.add(late.length, { for: 'commit' })
    this.#found.add(cut.length, { for: 'sweep' })
    this.#found.add(stale.length, { for: 'run' })
    if (late.length + stale.length > 0)
      this.#logger.warn({ late: late.length, stale: stale.length }, 'repos wait in vain, and are fetched again')
    return late.length + cut.length + stale.length
  }

  async #dids(text: string, ageMs: number): Promise<string[]> {
    const { rows } = await this.#options.database.pool.query<{ did: string }>(text, [ageMs / 1_000, BATCH])
    return rows.map(({ did }) => did)
  }
}
