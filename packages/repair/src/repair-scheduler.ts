import { hastened } from '@millrace/failpoints'
import { readOwedHosts, settleOwedHost, type Database } from '@millrace/database'
import { silentLogger, sleep, streams, type Logger, type Loop } from '@millrace/stream-protocol'
import { repoStreams, RepairStore } from './repair-store.ts'

export interface RepairSchedulerOptions {
  database: Database
  /** How long a gap is left open before its repair begins, in milliseconds: others often follow. @default 30_000 */
  settleMs?: number
  /** Time after which a host's repos are compared once more without a reason; 0 for never. @default 7 days */
  everyMs?: number
  /** @default 10_000 */
  intervalMs?: number
  logger?: Logger
}

/**
 * Begins repairs by itself: of hosts that have an open gap or of which more is taken than was, and of all once in a
 * while, as a relay cannot be held to have sent everything (hazard B2). A gap of no known host is one of every host.
 */
export class RepairScheduler implements Loop {
  readonly name = 'repair-scheduler'
  readonly #database: Database
  readonly #store: RepairStore
  readonly #settleMs: number
  readonly #everyMs: number
  readonly #intervalMs: number
  readonly #logger: Logger

  constructor({
    database,
    settleMs = hastened(30_000),
    everyMs = 7 * 86_400_000,
    intervalMs = hastened(10_000),
    logger = silentLogger,
  }: RepairSchedulerOptions) {
    this.#database = database
    this.#store = new RepairStore(database)
    this.#settleMs = settleMs
    this.#everyMs = everyMs
    this.#intervalMs = intervalMs
    this.#logger = logger.child({ component: this.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.schedule()
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot schedule repairs now')
      }
      await sleep(this.#intervalMs, signal)
    }
  }

  /** @returns the hosts whose repair it planned. */
  async schedule(): Promise<string[]> {
    const planned = await this.#planOwed()
    for (const { host, reason } of await this.#due()) {
      const { id, isNew } = await this.#store.plan({ host, reason })
      if (!isNew) continue
      planned.push(host)
      this.#logger.info({ repair: id, host, reason }, 'comparing the repos of a host with ours')
    }
    return planned
  }

  /** Hosts of which more is taken than was when they were read (hazards B20, I25). One that is repaired has to wait. */
  async #planOwed(): Promise<string[]> {
    const planned: string[] = []
    for (const host of await readOwedHosts(this.#database)) {
      const { id, isNew } = await this.#store.plan({ host, reason: 'collections', reindex: true })
      if (!isNew) continue
      planned.push(host)
      // Planned twice is work done twice; not at all would be a hole.
      await settleOwedHost(this.#database, host)
      this.#logger.warn({ repair: id, host }, 'more collections are taken: fetching the repos of a host anew')
    }
    return planned
  }

  async #due(): Promise<{ host: string; reason: 'gap' | 'periodic' }[]> {
    const { rows } = await this.#database.pool.query<{ host: string; reason: 'gap' | 'periodic' }>(
      `select u.host, case when g.id is not null then 'gap' else 'periodic' end as reason
       from (select distinct host from millrace_upstream where stream = any ($1::text[])) as u
       left join lateral (
         select id from millrace_gap g where g.host in (u.host, '') and stream <> '${streams.labelLive}'
           and closed_at is null and repair is null
           and opened_at < now() - make_interval(secs => $2) limit 1
       ) as g on true
       where not exists (select from millrace_repair r where r.host = u.host and r.finished_at is null)
         and (g.id is not null or ($3 > 0 and not exists (
           select from millrace_repair r where r.host = u.host and r.created_at > now() - make_interval(secs => $3)
         ) and not exists (
           select from millrace_upstream s where s.host = u.host and s.first_seen_at > now() - make_interval(secs => $3)
         )))
       order by u.host`,
      [repoStreams, this.#settleMs / 1_000, this.#everyMs / 1_000],
    )
    return rows
  }
}
