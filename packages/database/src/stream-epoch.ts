import { hastened, isGuarded } from '@millrace/failpoints'
import { randomUUID } from 'node:crypto'
import {
  cursorKey,
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
import { closeUnfinishedRuns } from './close-unfinished-runs.ts'
import { gapStatement } from './ledger.ts'
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

/** Repeatable: it reads again what may not have been lost. */
const REASON = 'store-lost'

/**
 * Notices that the store of streams is not the one that Postgres knows (hazard I5): emptied, started without its data, or
 * another one. Both hold the same random text, and a consumer whose group is gone takes it out of the store. One process
 * then goes back with everything that the store may have lost: cursors to their checkpoints, labelers to their beginning,
 * repos to their listing, of which those that have moved are fetched. What comes twice changes nothing (hazard G6).
 *
 * A copy of the store from a while ago is not another one: its cursors are as old as its entries, and reading goes on
 * from there (hazard S18).
 */
export class StreamEpoch implements Loop {
  readonly name = 'stream epoch'
  readonly #options: Required<Omit<StreamEpochOptions, 'logger' | 'meter'>>
  readonly #logger: Logger
  readonly #losses: Counter
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
    const known = await readSetting(database.pool)
    const stored = isGuarded('stream-epoch') ? await store.cursors.get(STREAM_EPOCH_KEY) : known?.epoch
    const isSame = known !== undefined && stored === known.epoch
    const epoch = isSame && !hasLost(known, streams, withGroups) ? known.epoch : await this.#renew()
    if (this.#epoch !== undefined && epoch !== this.#epoch) onLoss()
    this.#epoch = epoch
    const found = withGroups.filter((stream) => !known?.streams.includes(stream))
    if (isSame && found.length > 0)
      await database.pool.query(
        `update millrace_setting set value = jsonb_set(value, '{streams}', (value -> 'streams') || to_jsonb($2::text[]))
         where name = $1 and value ->> 'epoch' = $3 and not value -> 'streams' ?| $2::text[]`,
        [SETTING, found, epoch],
      )
  }

  async #rewindLabels(): Promise<void> {
    const { database, store, labelStream, onLoss } = this.#options
    const hosts = await rewindLabels({ database, cursors: store.cursors, labelStream })
    if (hosts.length === 0) return
    this.#logger.warn({ hosts }, 'labels were lost on their way: reading their labelers again from their beginning')
    onLoss()
  }

  async #renew(): Promise<string> {
    const { database, store, streams, upstreams } = this.#options
    await registerUpstreams(database, upstreams)
    return await database.transaction(async (client) => {
      await client.query('select pg_advisory_xact_lock($1)', [lockKey('job', SETTING)])
      const known = await readSetting(client)
      const stored = await store.cursors.get(STREAM_EPOCH_KEY)
      const statuses = await store.status(streams)
      const withGroups = statuses.flatMap(({ stream, groups }) => (groups.length > 0 ? [stream] : []))
      // Another process was faster.
      if (known && known.epoch === stored && !hasLost(known, streams, withGroups)) return known.epoch
      if (known || stored !== null) {
        this.#losses.add(1)
        this.#logger.error(
          { before: known?.epoch, stored, alarm: 'stream-epoch' },
          'the store of streams is not the one that we knew: reading again what it may have lost',
        )
        await this.#goBack(client)
      }
      const epoch = randomUUID()
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

  async #goBack(client: Client): Promise<void> {
    const { store, labelStream, repoStream } = this.#options
    const { rows } = await client.query<{ host: string; stream: string; url: string; checkpoint: string | null }>(
      'select host, stream, url, checkpoint::text from millrace_upstream order by host, stream',
    )
    for (const { host, stream, url, checkpoint } of rows) {
      const key = cursorKey(stream, url)
      const cursor = await store.cursors.get(key)
      if (stream === labelStream) {
        await store.cursors.delete(key)
        await client.query(
          `insert into millrace_gap (host, stream, reason, from_seq, closed_at) values ($1, $2, $3, $4, now())`,
          [host, stream, REASON, cursor],
        )
        this.#logger.warn({ host, stream, cursor }, 'reading a labeler again from its beginning')
        continue
      }
      await store.cursors.delete(cursorKey(repoStream, url))
      // Without a checkpoint nobody knows what was lost: what has moved is found by comparing.
      if (checkpoint === null)
        await client.query(gapStatement({ host, stream, reason: REASON, fromSeq: cursor ?? undefined }))
      else if (cursor !== null && Number(cursor) > Number(checkpoint)) await store.cursors.set(key, checkpoint)
      this.#logger.warn({ host, stream, cursor, checkpoint }, 'reading a host again from its checkpoint')
    }
    // The rest of them was in the store.
    await closeUnfinishedRuns(client)
    // Those that were fetched wait for what was lost.
    const { rowCount } = await client.query(
      'update millrace_dirty set next_at = now() where attempts > 0 and next_at > now()',
    )
    if (rowCount) this.#logger.warn({ repos: rowCount }, 'fetching again the repos that were on their way')
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
