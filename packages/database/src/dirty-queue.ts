import { hastened } from '@millrace/failpoints'
import {
  OWN_PDS,
  silentLogger,
  sleep,
  type BackfillEvent,
  type Batch,
  type BatchSource,
  type Logger,
} from '@millrace/stream-protocol'
import { everySoOften } from '@millrace/stream-protocol/store-kit'
import type { Database } from './open-database.ts'

/** What marked accounts go by where those of a stream would. */
export const DIRTY_STREAM = 'millrace_dirty'

export interface DirtyQueueOptions {
  database: Database
  /** The URL of a host that marks name without its scheme. @default over TLS */
  hostUrl?: (host: string) => string
  /** Accounts in a batch. @default 10 */
  batchSize?: number
  /** Pause when nothing is due, in milliseconds. @default 1_000 */
  idleMs?: number
  /**
   * How long an account is left to whoever has taken it, in milliseconds: one that is gone. Who lives keeps it for as long
   * as its repo takes. @default 60_000
   */
  leaseMs?: number
  logger?: Logger
}

interface Taken {
  did: string
  rev: string | null
  host: string | null
  repair: number | null
  reindex: boolean
  mark: string
  priority: number
}

/**
 * Of eight reads so many begin with marks that are not the most urgent ones, so that these get on as well while people
 * ask on and on.
 */
const firstFor: readonly (number | null)[] = [null, null, null, 1, null, 2, null, 3]

/** Longest pause between two fetches of one account, in minutes. */
const MAX_PAUSE_MINUTES = 60

/**
 * The accounts of `millrace_dirty` that are due, as repos to fetch: those that people asked for first, then what a
 * firehose has lost, then repairs, then what is fetched for the first time (hazard B17); none of them keeps the others from being read at all. Any number of
 * processes may read it.
 *
 * A mark goes when the rows of its repo are up to date, not when the repo was fetched: an account that is acked comes
 * back after a pause, which doubles, unless its mark is gone by then. So no crash between here and the rows loses it.
 */
export class DirtyQueue implements BatchSource<BackfillEvent> {
  readonly stream = DIRTY_STREAM
  readonly group = DIRTY_STREAM
  readonly #database: Database
  readonly #hostUrl: (host: string) => string
  readonly #batchSize: number
  readonly #idleMs: number
  readonly #leaseMs: number
  readonly #logger: Logger
  /** Taken in this run and not acked: longer at work than the lease, and not to be given out again. */
  readonly #atWork = new Set<string>()
  #reads = 0

  constructor({
    database,
    hostUrl = (host) => `https://${host}`,
    batchSize = 10,
    idleMs = 1_000,
    leaseMs = hastened(60_000),
    logger = silentLogger,
  }: DirtyQueueOptions) {
    this.#database = database
    this.#hostUrl = hostUrl
    this.#batchSize = batchSize
    this.#idleMs = idleMs
    this.#leaseMs = leaseMs
    this.#logger = logger.child({ component: 'dirty-queue' })
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch<BackfillEvent>> {
    this.#atWork.clear()
    using _ = everySoOften(
      () => this.#keep(),
      this.#leaseMs / 4,
      (error) => this.#logger.debug({ err: error }, 'cannot keep the repos that are at work now'),
    )
    while (!signal.aborted) {
      const taken = (await this.#take()).filter(({ did }) => !this.#atWork.has(did))
      for (const { did } of taken) this.#atWork.add(did)
      if (taken.length > 0) yield this.#batch(taken)
      else await sleep(this.#idleMs, signal)
    }
  }

  #batch(taken: readonly Taken[]): Batch<BackfillEvent> {
    const ids = taken.map(({ did }) => did)
    return {
      stream: this.stream,
      entries: taken.map((row) => ({ id: row.did, event: this.#event(row), priority: row.priority })),
      rejected: [],
      ack: (acked = ids) => this.#postpone(acked),
    }
  }

  #event({ did, rev, host, repair, reindex, mark }: Taken): BackfillEvent {
    return {
      did,
      host: host === null || host === '' ? OWN_PDS : this.#hostUrl(host),
      rev: rev ?? '',
      mark,
      ...(repair !== null && { repair }),
      ...(reindex && { reindex }),
    }
  }

  async #take(): Promise<Taken[]> {
    const first = firstFor[this.#reads++ % firstFor.length] ?? null
    try {
      const preferred = first === null ? [] : await this.#takeOf(first)
      return preferred.length > 0 ? preferred : await this.#takeOf(null)
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot read which repos to fetch again')
      return []
    }
  }

  /** What is taken comes back by itself if we die over it. */
  async #takeOf(priority: number | null): Promise<Taken[]> {
    const { rows } = await this.#database.pool.query<Taken>({
      name: priority === null ? 'millrace_take_dirty' : 'millrace_take_dirty_of',
      text: `
        update millrace_dirty set next_at = now() + make_interval(secs => $2), attempts = attempts + 1
        where did in (
          select did from millrace_dirty where next_at <= now() ${priority === null ? '' : 'and priority = $3'}
          order by priority, next_at limit $1 for update skip locked
        )
        returning did, rev, host, repair, reindex, priority, extract(epoch from updated_at)::text as mark`,
      values: [this.#batchSize, this.#leaseMs / 1_000, ...(priority === null ? [] : [priority])],
    })
    return rows
  }

  /** Of those that somebody wants at once by now, or has paused, others may decide. */
  async #keep(): Promise<void> {
    if (this.#atWork.size === 0) return
    await this.#database.pool.query({
      text: `
        update millrace_dirty set next_at = greatest(next_at, now() + make_interval(secs => $2))
        where did in (
          select did from millrace_dirty where did = any ($1::text[]) and next_at > now() and next_at <> 'infinity'
          order by did collate "C" for update skip locked
        )`,
      values: [[...this.#atWork], this.#leaseMs / 1_000],
    })
  }

  async #postpone(dids: readonly string[]): Promise<void> {
    if (dids.length === 0) return
    await this.#database.pool.query({
      text: `
        -- Somebody may have asked for it meanwhile, to have it at once, or paused it.
        update millrace_dirty set next_at = case when next_at = 'infinity' then next_at else least(next_at,
          now() + make_interval(secs => $2) * least(${MAX_PAUSE_MINUTES}, 2 ^ least(attempts, 10)) * (0.5 + random() / 2)) end
        where did = any ($1::text[])`,
      values: [dids, hastened(60_000) / 1_000],
    })
    for (const did of dids) this.#atWork.delete(did)
  }
}
