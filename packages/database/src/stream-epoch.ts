import { hastened, isGuarded } from '@millrace/failpoints'
import { randomUUID } from 'node:crypto'
import {
  noMeter,
  silentLogger,
  sleep,
  STREAM_EPOCH_KEY,
  type Counter,
  type Logger,
  type Loop,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'
import { countOn, raiseTally, readTally, readToldTally } from './database-tally.ts'
import { goBack } from './go-back.ts'
import { lockKey } from './locks.ts'
import type { Client, Database } from './open-database.ts'
import { rewindLabels } from './rewind-labels.ts'
import { registerUpstreams, type Upstream } from './upstreams.ts'

export interface StreamEpochOptions {
  database: Database
  store: Pick<StreamStore, 'cursors' | 'status'>
  /** The hosts that this process reads: what they have sent is read again when the store has lost it. */
  upstreams: readonly Upstream[]
  /** All streams of the pipeline. */
  streams: readonly string[]
  /** Which of the streams hold labels, of which nothing but the labeler's own sequence remains. */
  labelStream: string
  /** The stream of repos to fetch: they are listed again. */
  repoStream: string
  /** Called when the store was found to have lost what it held: whoever waits in silence has to look at its cursor. */
  onLoss?: () => void
  /** @default 5_000 */
  intervalMs?: number
  logger?: Logger
  meter?: Meter
}

const SETTING = 'stream-epoch'
interface Setting {
  epoch: string
  before: string | null
  /** Streams that were seen with a consumer group: one that has none later was deleted. */
  streams: string[]
}

/** As SQL: the text that the store has to have as well. */
export const epochOfDatabase = `(select value ->> 'epoch' from millrace_setting where name = '${SETTING}')`

/**
 * Notices that the store of streams is not the one that Postgres knows (hazard I5): emptied, started without its data, or
 * another one. Both hold the same random text, and a consumer whose group is gone takes it out of the store. One process
 * then goes back with everything that the store may have lost: cursors to their checkpoints, labelers to their beginning,
 * repos to their listing, of which those that have moved are fetched. What comes twice changes nothing (hazard G6).
 *
 * A copy of the store from a while ago is not another one: its cursors are as old as its entries, and reading goes on
 * from there (hazard S18). A database from a while ago is noticed by what the store was told of it, and gone back to alike:
 * what its rows lack has left the streams (hazard I4).
 */
export class StreamEpoch implements Loop {
  readonly name = 'stream epoch'
  readonly #options: Required<Omit<StreamEpochOptions, 'logger' | 'meter'>>
  readonly #logger: Logger
  readonly #losses: Counter
  readonly #restores: Counter
  #epoch: string | undefined

  constructor({
    onLoss = () => undefined,
    intervalMs = hastened(5_000),
    logger = silentLogger,
    meter = noMeter,
    ...rest
  }: StreamEpochOptions) {
    this.#options = { ...rest, onLoss, intervalMs }
    this.#logger = logger.child({ component: 'stream-epoch' })
    this.#losses = meter.counter(
      'millrace_stream_store_losses_total',
      'Times that the store of streams had lost what it held',
    )
    this.#losses.add(0)
    this.#restores = meter.counter(
      'millrace_database_restores_total',
      'Times that the database had gone back to what it was before',
    )
    this.#restores.add(0)
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#tryCheck()
      await sleep(this.#options.intervalMs, signal)
    }
  }

  /** Resolves once a look has succeeded: before that, a cursor may be ahead of what the store still has. */
  async ready(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#tryCheck())) await sleep(this.#options.intervalMs, signal)
  }

  async #tryCheck(): Promise<boolean> {
    try {
      await this.check()
      await this.#rewindLabels()
      return true
    } catch (error) {
      this.#logger.warn({ err: error }, 'cannot compare the store of streams with what Postgres knows of it now')
      return false
    }
  }

  /** One look. */
  async check(): Promise<void> {
    const { database, store, streams, onLoss } = this.#options
    const withGroups = (await store.status(streams)).flatMap(({ stream, groups }) =>
      groups.length > 0 ? [stream] : [],
    )
    // Before the database is asked, so that it has counted at least as far.
    const told = isGuarded('database-tally') ? await readToldTally(store.cursors) : 0
    const tally = await readTally(database.pool)
    const known = await readSetting(database.pool)
    const stored = isGuarded('stream-epoch') ? await store.cursors.get(STREAM_EPOCH_KEY) : known?.epoch
    const isSame = known !== undefined && stored === known.epoch && told <= tally
    const epoch = isSame && !hasLost(known, streams, withGroups) ? known.epoch : await this.#renew()
    if (this.#epoch !== undefined && epoch !== this.#epoch) onLoss()
    this.#epoch = epoch
    if (!isSame) return
    const found = withGroups.filter((stream) => !known.streams.includes(stream))
    if (found.length > 0)
      await database.pool.query(
        `update millrace_setting set value = jsonb_set(value, '{streams}', (value -> 'streams') || to_jsonb($2::text[]))
         where name = $1 and value ->> 'epoch' = $3 and not value -> 'streams' ?| $2::text[]`,
        [SETTING, found, epoch],
      )
    await this.#count(tally)
  }

  /** A store that is full takes no number, and a database that is read-only has none: then the last one stands for longer. */
  async #count(tally: number): Promise<void> {
    const { database, store } = this.#options
    try {
      await countOn(database, store.cursors, tally)
    } catch (error) {
      this.#logger.debug({ err: error }, 'cannot tell the store of streams where the database is now')
    }
  }

  async #rewindLabels(): Promise<void> {
    const { database, store, labelStream, onLoss } = this.#options
    const hosts = await rewindLabels({ database, cursors: store.cursors, labelStream })
    if (hosts.length === 0) return
    this.#logger.warn({ hosts }, 'labels were lost on their way: reading their labelers again from their beginning')
    onLoss()
  }

  async #renew(): Promise<string> {
    const { database, store, streams, upstreams, labelStream, repoStream } = this.#options
    await registerUpstreams(database, upstreams)
    return await database.transaction(async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [lockKey('job', SETTING)])
      const told = await readToldTally(store.cursors)
      const known = await readSetting(client)
      // A database that is new to us has nothing of before that could be compared.
      const isRestored = isGuarded('database-tally') && known !== undefined && told > (await readTally(client))
      const stored = await store.cursors.get(STREAM_EPOCH_KEY)
      const statuses = await store.status(streams)
      const withGroups = statuses.flatMap(({ stream, groups }) => (groups.length > 0 ? [stream] : []))
      // Another process was faster.
      if (known && known.epoch === stored && !isRestored && !hasLost(known, streams, withGroups)) return known.epoch
      if (known || stored !== null) {
        if (isRestored) this.#tellRestored({ before: known.epoch, told })
        else this.#tellLost({ before: known?.epoch, stored })
        const reason = isRestored ? 'database-restored' : 'store-lost'
        await goBack({ client, store, reason, labelStream, repoStream, logger: this.#logger })
      }
      const epoch = randomUUID()
      await raiseTally(client, told)
      // Once both have it, all is done; a crash in between does it once more.
      await store.cursors.set(STREAM_EPOCH_KEY, epoch)
      await client.query(
        `insert into millrace_setting (name, value) values ($1, $2)
         on conflict (name) do update set value = excluded.value, updated_at = now()`,
        [SETTING, JSON.stringify({ epoch, before: known?.epoch ?? null, streams: [] } satisfies Setting)],
      )
      return epoch
    })
  }

  #tellRestored(fields: object): void {
    this.#restores.add(1)
    this.#logger.error(
      { ...fields, alarm: 'database-restored' },
      'the database went back to what it was before: reading again what its rows may lack',
    )
  }

  #tellLost(fields: object): void {
    this.#losses.add(1)
    this.#logger.error(
      { ...fields, alarm: 'stream-epoch' },
      'the store of streams is not the one that we knew: reading again what it may have lost',
    )
  }
}

/** What the store and Postgres both have; undefined when they differ, or when neither has been given one. */
export async function readStreamEpoch(
  { pool }: Database,
  { cursors }: Pick<StreamStore, 'cursors'>,
): Promise<string | undefined> {
  const known = await readSetting(pool)
  return known && (await cursors.get(STREAM_EPOCH_KEY)) === known.epoch ? known.epoch : undefined
}

async function readSetting(client: Database['pool'] | Client): Promise<Setting | undefined> {
  const { rows } = await client.query<{ value: Setting }>('select value from millrace_setting where name = $1', [
    SETTING,
  ])
  return rows[0]?.value
}

/** A group goes only with its stream, or by hand. */
function hasLost(known: Setting, streams: readonly string[], withGroups: readonly string[]): boolean {
  return streams.some((stream) => known.streams.includes(stream) && !withGroups.includes(stream))
}
