import { lockKey, type Database } from '@millrace/database'
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

/**
 * Looks up the handle of an account: the handle where DID document and handle agree, null where they do not or the
 * account is gone. Rejects when that cannot be told now (hazard D1).
 */
export type ResolveHandle = (did: string, signal: AbortSignal) => Promise<string | null>

export interface HandleRefresherOptions {
  database: Database
  resolve: ResolveHandle
  /** Look-ups at a time. @default 10 */
  concurrency?: number
  /** Pause when nothing is due, in milliseconds. @default 1_000 */
  idleMs?: number
  logger?: Logger
  meter?: Meter
}

interface Request {
  did: string
  /** As Postgres writes it: a JavaScript date would lose its microseconds. */
  requestedAt: string
}

/** Time that a look-up may take before another process tries it as well: a killed one keeps its requests this long. */
const LEASE_SECONDS = 30

/**
 * Keeps `actor.handle` true, beside the records' way: requests wait in `millrace_identity`, so that none is lost and
 * none holds up a record (hazard D12). Several processes share the work.
 */
export class HandleRefresher implements Loop {
  readonly name = 'handle-refresher'
  readonly #database: Database
  readonly #resolve: ResolveHandle
  readonly #concurrency: number
  readonly #idleMs: number
  readonly #logger: Logger
  readonly #results: Counter
  readonly #waiting: Gauge

  constructor({
    database,
    resolve,
    concurrency = 10,
    idleMs = 1_000,
    logger = silentLogger,
    meter = noMeter,
  }: HandleRefresherOptions) {
    this.#database = database
    this.#resolve = resolve
    this.#concurrency = concurrency
    this.#idleMs = idleMs
    this.#logger = logger.child({ component: this.name })
    this.#results = meter.counter('millrace_handle_lookups_total', 'Look-ups of handles, by result', ['result'])
    for (const result of ['verified', 'none', 'failed']) this.#results.add(0, { result })
    this.#waiting = meter.gauge('millrace_handle_lookups_taken', 'Look-ups under way', [])
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const requests = await this.#take()
      this.#waiting.set(requests.length)
      await Promise.all(requests.map((request) => this.#refresh(request, signal)))
      if (requests.length === 0) await sleep(this.#idleMs, signal)
    }
  }

  /** How many look-ups wait, due or not. */
  async pending(): Promise<number> {
    const { rows } = await this.#database.pool.query<{ count: number }>(
      'select count(*) as count from millrace_identity',
    )
    return rows[0]!.count
  }

  /** A request that is taken comes back by itself if we die over it. */
  async #take(): Promise<Request[]> {
    try {
      const { rows } = await this.#database.pool.query<Request>({
        name: 'millrace_take_identities',
        text: `
          update millrace_identity set next_at = now() + make_interval(secs => $2), attempts = attempts + 1
          where did in (select did from millrace_identity where next_at <= now() order by next_at limit $1 for update skip locked)
          returning did, requested_at::text as "requestedAt"`,
        values: [this.#concurrency, LEASE_SECONDS],
      })
      return rows
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot read which handles to look up')
      return []
    }
  }

  async #refresh(request: Request, signal: AbortSignal): Promise<void> {
    const { did } = request
    try {
      const handle = await this.#resolve(did, signal)
      await this.#store(request, handle)
      this.#results.add(1, { result: handle === null ? 'none' : 'verified' })
    } catch (error) {
      if (signal.aborted) return
      this.#results.add(1, { result: 'failed' })
      this.#logger.debug({ err: error, did }, 'cannot look up a handle now')
      await this.#postpone(did, error as Error)
    }
  }

  /** One transaction, the handle locked by name: of two accounts that claim it, the one verified last has it (hazard D5). */
  async #store({ did, requestedAt }: Request, handle: string | null): Promise<void> {
    await this.#database.transaction(async (client) => {
      if (handle !== null) {
        await client.query('select pg_advisory_xact_lock($1)', [lockKey('handle', handle)])
        // Both accounts in the order of their DIDs: two that swap handles would wait for each other.
        await client.query('select from actor where did = $2 or handle = $1 order by did for update', [handle, did])
        // Whoever had it is looked up again: it may have moved on to another one.
        await client.query(
          'with former as (update actor set handle = null where handle = $1 and did <> $2 returning did) insert into millrace_identity (did, forced) select did, true from former on conflict (did) do update set requested_at = now(), next_at = now()',
          [handle, did],
        )
      }
      await client.query('update actor set handle = $2 where did = $1 and handle is distinct from $2', [did, handle])
      // A request that came while we asked stays: it may know of something newer.
      await client.query('delete from millrace_identity where did = $1 and requested_at = $2', [did, requestedAt])
    })
  }

  async #postpone(did: string, error: Error): Promise<void> {
    try {
      await this.#database.pool.query(
        `update millrace_identity set last_error = left($2, 500), next_at = now() + make_interval(secs => least(86400, 5 * 2 ^ least(attempts, 14)) * (0.5 + random() / 2)) where did = $1`,
        [did, error.message],
      )
    } catch (failure) {
      // The lease ends by itself, and the look-up is tried again.
      this.#logger.warn({ err: failure, did }, 'cannot note a failed look-up')
    }
  }
}
