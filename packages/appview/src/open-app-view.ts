import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { migrate, openDatabase, type Database } from '@millrace/database'
import type { PluginSet } from '@millrace/indexing'
import { startPostgres } from '@millrace/local-services'
import { runAll } from '@millrace/runtime'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import {
  noMeter,
  ResourceStack,
  silentLogger,
  sleep,
  type Logger,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'
import { joinPipeline, type AppViewNetwork, type AppViewStatus, type Pipeline } from './join-pipeline.ts'

export interface AppViewOptions {
  network: AppViewNetwork
  /** The collections that it takes, each with its table, and the migrations that make the tables. */
  set: PluginSet
  /** Holds everything that is kept; created when absent. */
  folder: string
  /** Schema of the tables. */
  schema: string
  /** A Postgres that is there already. @default one of its own, in the folder */
  databaseUrl?: string | undefined
  /** Streams that are there already, such as `openRedisStreams` gives. @default a SQLite file in the folder */
  store?: StreamStore | undefined
  logger?: Logger
  meter?: Meter
  /** Told of steps that take long enough to be noticed. */
  onProgress?: (text: string) => void
}

/** An AppView's pipeline in one process. `await using` closes what it has opened, once `run` has ended. */
export interface AppView extends AsyncDisposable {
  /** Its rows, and the tables of Millrace beside them: `actor`, `record` and the bookkeeping. */
  readonly database: Database
  /** Where they are, as a URL for other programs on this machine. */
  readonly databaseUrl: string
  /**
   * Reads, fetches and indexes until the signal is aborted. A loop that fails is run again.
   * @throws {LoopError} (of `@millrace/runtime`) when one could not be kept running.
   */
  run(signal: AbortSignal): Promise<void>
  status(): Promise<AppViewStatus>
  /**
   * Resolves, while it runs, once all that was listed is in the rows, and the firehose up to an event.
   * @param seq of that event, which has to come after those that a first run begins with; undefined where it is not
   * known: then what was read has to be in the rows.
   */
  indexed(signal: AbortSignal, seq?: number): Promise<void>
}

/** Looks in a row that have to find nothing to do: one alone may fall between two steps. */
const IDLE_LOOKS = 3
const LOOK_MS = 100

/**
 * Opens all that an AppView needs for collections of its own: a Postgres and streams in a folder, unless they are given,
 * the tables of its plugins, and the loops from the network to them. Only accounts that have records of these collections
 * are followed.
 *
 * It is for one process. An AppView that outgrows it runs the processes of Millrace, over the same rows.
 */
export async function openAppView({
  network,
  set,
  folder,
  schema,
  databaseUrl,
  store,
  logger = silentLogger,
  meter = noMeter,
  onProgress,
}: AppViewOptions): Promise<AppView> {
  await using opened = new ResourceStack()
  await mkdir(folder, { recursive: true })
  const url =
    databaseUrl ??
    opened.use(await startPostgres({ folder: path.join(folder, 'postgres'), ...(onProgress && { onProgress }) })).url
  const database = opened.use(await openDatabase({ url, schema, pipeline: true, logger }))
  await migrate(database, { sets: [set], logger })
  const file = path.join(folder, 'streams.db')
  const streams = store ?? opened.use(await openSqliteStreams({ file, logger, meter }))
  const pipeline = await joinPipeline({ network, set, store: streams, database, logger, meter })
  const resources = opened.move()
  return {
    database,
    databaseUrl: url,
    run: (signal) => runAll(pipeline.loops, signal, { logger, meter }),
    status: () => pipeline.status(),
    async indexed(signal, seq = -1) {
      for (let idle = 0; idle < IDLE_LOOKS && !signal.aborted; await sleep(LOOK_MS, signal))
        idle = (await isIdle(pipeline, seq)) ? idle + 1 : 0
    },
    [Symbol.asyncDispose]: () => resources[Symbol.asyncDispose](),
  }
}

async function isIdle(pipeline: Pipeline, seq: number): Promise<boolean> {
  const { isListed, lastSeq, waiting } = await pipeline.status()
  return isListed && (lastSeq ?? -1) >= seq && waiting.repos + waiting.events + waiting.handles === 0
}
