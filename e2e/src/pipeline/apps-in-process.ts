import { backfillerLoops, repairLoops } from '@millrace/backfiller'
import { PostgresLedger, type CheckpointKeeper, type Database } from '@millrace/database'
import type { SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver, HandleResolver, PdsStatus } from '@millrace/identity'
import { indexerLoops } from '@millrace/indexer'
import { checkpointLoop, ingesterLoops, streamEpochLoop } from '@millrace/ingester'
import { HostPacer } from '@millrace/repo-backfill'
import { runAll } from '@millrace/runtime'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import { groups, noMeter, silentLogger, streams, type Loop, type StreamStore } from '@millrace/stream-protocol'

export interface AppsInProcessOptions {
  redisUrl: string
  databaseUrl: string
  network: Pick<SimulatedNetwork, 'relayUrl' | 'labelerUrl' | 'plcUrl' | 'handleResolverUrl'>
  /** Name of indexer and backfiller. */
  consumer: string
}

const indexerSettings = {
  INDEXER_STREAMS: [streams.firehoseLive, streams.firehoseBackfill],
  INDEXER_LABEL_STREAM: streams.labelLive,
  INDEXER_GROUP: groups.firehose,
  INDEXER_LABEL_GROUP: groups.label,
  INDEXER_CONCURRENCY: 1,
  INDEXER_BATCH_SIZE: 1_000,
  INDEXER_OTHER_COLLECTIONS: 'record',
  INDEXER_NOTIFICATION_HORIZON: 'all',
  INDEXER_HANDLE_CONCURRENCY: 50,
  INDEXER_HANDLE_RATE: 1_000,
  INDEXER_HANDLE_RECHECK: 'never',
} as const

/** The apps of Millrace over a network, each started and stopped by itself, in this process. */
export class AppsInProcess implements AsyncDisposable {
  readonly store: StreamStore
  readonly database: Database
  readonly #indexing: Database
  readonly #options: AppsInProcessOptions
  #keeper: CheckpointKeeper | undefined
  readonly #running = new Map<string, { stop: AbortController; ended: Promise<void> }>()

  private constructor(options: AppsInProcessOptions, store: StreamStore, database: Database, indexing: Database) {
    this.#options = options
    this.store = store
    this.database = database
    this.#indexing = indexing
  }

  static async open(options: AppsInProcessOptions): Promise<AppsInProcess> {
    const { redisUrl: url, databaseUrl } = options
    const store = await openStreams({ kind: 'redis', url, location: url, why: 'a test' })
    const database = await openMigratedDatabase({ url: databaseUrl })
    const indexing = await openMigratedDatabase({ url: databaseUrl, pipeline: true, poolSize: 10 })
    return new AppsInProcess(options, store, database, indexing)
  }

  async startIndexer(): Promise<void> {
    const { consumer, network } = this.#options
    const { fetch, resolver } = this.#outside()
    const { loops } = await indexerLoops({
      settings: {
        ...indexerSettings,
        INDEXER_CONSUMER: consumer,
        INDEXER_STREAMS: [...indexerSettings.INDEXER_STREAMS],
      },
      store: this.store,
      database: this.database,
      indexing: this.#indexing,
      background: this.#indexing,
      dids: resolver,
      handles: new HandleResolver({ fetch, resolverUrl: network.handleResolverUrl }),
      accounts: new PdsStatus({ resolver, fetch }),
      logger: silentLogger,
      meter: noMeter,
    })
    this.#run('indexer', loops)
  }

  startBackfiller(): void {
    const shared = {
      ...this.#shared(),
      ...this.#outside(),
      hostUrl: (host: string) => `http://${host}`,
      // One host has all repos here.
      pacer: new HostPacer({ startPerSecond: 1_000 }),
    }
    const { consumer } = this.#options
    this.#run('backfiller', [
      ...backfillerLoops({ ...shared, consumer, concurrency: 4, resyncConcurrency: 16 }),
      ...repairLoops({ ...shared, everyMs: 0 }),
    ])
  }

  async startIngester(): Promise<void> {
    const { network } = this.#options
    const hosts = { hosts: [network.relayUrl], labelerHosts: [network.labelerUrl] }
    const shared = { ...this.#shared(), ...hosts }
    const loops = ingesterLoops({ ...shared, resolver: this.#outside().resolver, allowPrivateHosts: true })
    const epoch = streamEpochLoop({ ...shared, loops })
    await epoch.check()
    this.#keeper = checkpointLoop(shared)
    this.#run('ingester', [...loops, epoch, this.#keeper])
  }

  /** Notes how far the rows are, which the ingester does every few seconds. */
  async keepCheckpoints(): Promise<void> {
    await this.#keeper?.keep()
  }

  async stop(app: 'indexer' | 'backfiller' | 'ingester'): Promise<void> {
    const running = this.#running.get(app)
    running?.stop.abort()
    await running?.ended
    this.#running.delete(app)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const app of ['ingester', 'backfiller', 'indexer'] as const) await this.stop(app)
    await this.#indexing[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
  }

  #run(app: string, loops: readonly Loop[]): void {
    const stop = new AbortController()
    this.#running.set(app, { stop, ended: runAll(loops, stop.signal) })
  }

  #shared() {
    const { store, database } = this
    return { store, database, ledger: new PostgresLedger({ database }), logger: silentLogger, meter: noMeter }
  }

  #outside() {
    const fetch = createGuardedFetch({ allowPrivateHosts: true })
    const { plcUrl } = this.#options.network
    return { fetch, resolver: new DidResolver({ fetch, plcUrl, allowPrivateHosts: true }) }
  }
}
