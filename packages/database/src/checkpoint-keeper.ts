import { failpoint, hastened } from '@millrace/failpoints'
import { compareIds, silentLogger, sleep, type Logger, type Loop, type StreamStore } from '@millrace/stream-protocol'
import { readToldTally, tallyOfDatabase } from './database-tally.ts'
import type { Database } from './open-database.ts'
import { epochOfDatabase, readStreamEpoch } from './stream-epoch.ts'
import { registerUpstreams, type Upstream } from './upstreams.ts'

export interface CheckpointKeeperOptions {
  database: Database
  store: Pick<StreamStore, 'cursors' | 'status'>
  /** The hosts that this process reads, each with the key of its cursor. */
  upstreams: readonly (Upstream & { cursorKey: string })[]
  /** @default 5_000 */
  intervalMs?: number
  logger?: Logger
}

/** A place in an upstream, and the last entry that stood in the stream when it was reached. */
interface Sample {
  seq: number
  lastId: string
}

/** Samples of one upstream: beyond it every second one goes, so that a long backlog has as many as a short one. */
const MAX_SAMPLES = 512

/**
 * Keeps, for each upstream, a sequence number up to which every entry has left its stream acked (hazard I4). The cursor
 * says how far we have read; this says how far the rows are. It is where to go on from when the stream store has lost
 * its own memory, and it is in Postgres, which has not.
 */
export class CheckpointKeeper implements Loop {
  readonly name = 'checkpoints'
  readonly #options: Required<Omit<CheckpointKeeperOptions, 'logger'>>
  readonly #logger: Logger
  readonly #samples = new Map<string, Sample[]>()
  #epoch: string | undefined

  constructor({ intervalMs = hastened(5_000), logger = silentLogger, ...rest }: CheckpointKeeperOptions) {
    this.#options = { ...rest, intervalMs }
    this.#logger = logger.child({ component: this.name })
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.keep()
      } catch (error) {
        this.#logger.warn({ err: error }, 'cannot keep checkpoints now')
      }
      await sleep(this.#options.intervalMs, signal)
    }
  }

  /** One look at every upstream. */
  async keep(): Promise<void> {
    const { database, store, upstreams } = this.#options
    await registerUpstreams(database, upstreams)
    for (const upstream of upstreams) {
      const seq = await this.#reached(upstream)
      // After the look: a stream that was lost is empty as well, and says so before its group is back (hazard I5).
      if (!(await this.#isSameStore()) || seq === undefined) continue
      // A database that went back since has other rows than those that left the stream (hazard I4).
      await database.pool.query(
        `update millrace_upstream set checkpoint = $3, checkpoint_at = now()
         where host = $1 and stream = $2 and (checkpoint is null or checkpoint < $3)
           and ${tallyOfDatabase} >= $4 and ${epochOfDatabase} = $5`,
        [upstream.host, upstream.stream, seq, await readToldTally(store.cursors), this.#epoch],
      )
      failpoint('ingester.checkpointed')
    }
  }

  /** What was sampled of a store says nothing about another one, nor about the same once it was emptied. */
  async #isSameStore(): Promise<boolean> {
    const { database, store } = this.#options
    const epoch = await readStreamEpoch(database, store)
    if (epoch === this.#epoch) return epoch !== undefined
    this.#epoch = epoch
    this.#samples.clear()
    return false
  }

  async #reached({ stream, cursorKey }: { stream: string; cursorKey: string }): Promise<number | undefined> {
    const { store } = this.#options
    // The cursor first: every entry up to it is in the stream by the time that we look at the stream.
    const cursor = await store.cursors.get(cursorKey)
    const [status] = await store.status([stream])
    if (cursor === null || !/^\d{1,16}$/.test(cursor) || !status) return undefined
    const seq = Number(cursor)
    if (status.groups.length === 0) return undefined
    if (status.length === 0) {
      this.#samples.set(cursorKey, [])
      return seq
    }
    const { firstId, lastId } = status
    // A cursor that went back was set back: what was beyond it is read again.
    const samples = (this.#samples.get(cursorKey) ?? []).filter((sample) => sample.seq <= seq)
    if (lastId !== null && samples.at(-1)?.seq !== seq) samples.push({ seq, lastId })
    const left = samples.filter((sample) => firstId !== null && compareIds(sample.lastId, firstId) >= 0)
    this.#samples.set(cursorKey, left.length > MAX_SAMPLES ? left.filter((_, index) => index % 2 === 0) : left)
    return samples[samples.length - left.length - 1]?.seq
  }
}

/**
 * Has the checkpoint go back with a cursor that somebody set. Where the host has lost its numbers, the one of before says
 * nothing about those that come now, and nobody could go on from there (hazard I7); elsewhere what comes is read twice.
 */
export async function lowerCheckpoint({ pool }: Database, host: string, stream: string, cursor: string): Promise<void> {
  await pool.query(
    'update millrace_upstream set checkpoint = $3::bigint where host = $1 and stream = $2 and checkpoint > $3::bigint',
    [host, stream, cursor],
  )
}

/** The checkpoint of one upstream, as text; null when there is none. */
export async function readCheckpoint({ pool }: Database, host: string, stream: string): Promise<string | null> {
  const { rows } = await pool.query<{ checkpoint: string | null }>(
    'select checkpoint::text from millrace_upstream where host = $1 and stream = $2',
    [host, stream],
  )
  return rows[0]?.checkpoint ?? null
}
