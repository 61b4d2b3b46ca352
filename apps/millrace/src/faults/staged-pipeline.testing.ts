import {
  diagnose,
  gatherFacts,
  traceSubject,
  type DeclaredStream,
  type Diagnosis,
  type DoctorSources,
  type Trace,
} from '@millrace/diagnosis'
import { PostgresLedger, registerUpstreams, type Database } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver, HandleResolver, PdsStatus } from '@millrace/identity'
import { indexerLoops, indexingPoolSize, type IndexerSettings } from '@millrace/indexer'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { FirehoseIngester } from '@millrace/ingest'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import {
  DEFAULT_HIGH_WATER_MARK,
  groups,
  hostWithoutScheme,
  noMeter,
  silentLogger,
  streamEventCodec,
  streams,
  type Loop,
  type StreamStore,
} from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { upIndexerSettings } from '../up/pipeline.ts'

const declared: DeclaredStream[] = [
  { stream: streams.firehoseLive, group: groups.firehose, role: 'indexer', highWaterMark: DEFAULT_HIGH_WATER_MARK },
  { stream: streams.firehoseBackfill, group: groups.firehose, role: 'indexer', highWaterMark: DEFAULT_HIGH_WATER_MARK },
  {
    stream: streams.repoBackfill,
    group: groups.repoBackfill,
    role: 'backfiller',
    highWaterMark: DEFAULT_HIGH_WATER_MARK,
  },
  { stream: streams.labelLive, group: groups.label, role: 'indexer', highWaterMark: DEFAULT_HIGH_WATER_MARK },
]

export interface StagedOptions {
  redisUrl: string
  databaseUrl: string
  settings?: Partial<IndexerSettings>
}

/** A pipeline over a small network, whose parts are run as they are needed, so that faults can be put between them. */
export class StagedPipeline implements AsyncDisposable {
  readonly network: SimulatedNetwork
  readonly store: StreamStore
  readonly database: Database
  readonly #indexing: Database
  readonly #settings: IndexerSettings
  readonly #fetch = createGuardedFetch({ allowPrivateHosts: true })

  private constructor(
    network: SimulatedNetwork,
    store: StreamStore,
    databases: { database: Database; indexing: Database },
    settings: IndexerSettings,
  ) {
    this.network = network
    this.store = store
    this.database = databases.database
    this.#indexing = databases.indexing
    this.#settings = settings
  }

  /** With all that the network has in the rows. */
  static async open({ redisUrl, databaseUrl, settings }: StagedOptions): Promise<StagedPipeline> {
    const network = await startSimulatedNetwork({ accounts: 3, recordsPerAccount: 4, labels: 2, time: 'real' })
    const store = await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' })
    const database = await openMigratedDatabase({ url: databaseUrl })
    const poolSize = indexingPoolSize(upIndexerSettings)
    const indexing = await openMigratedDatabase({ url: databaseUrl, pipeline: true, poolSize })
    const staged = new StagedPipeline(network, store, { database, indexing }, { ...upIndexerSettings, ...settings })
    await registerUpstreams(database, [{ host: staged.relayHost, stream: streams.firehoseLive, url: network.relayUrl }])
    await Promise.all(declared.map(({ stream, group }) => store.ensureGroup(stream, group)))
    await staged.ingest()
    await staged.index()
    return staged
  }

  get relayHost(): string {
    return hostWithoutScheme(this.network.relayUrl)
  }

  /** Reads the firehose up to its head. */
  async ingest(): Promise<void> {
    const ingester = new FirehoseIngester({
      host: this.network.relayUrl,
      sink: this.store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }),
      cursors: this.store.cursors,
      ledger: new PostgresLedger({ database: this.database }),
      startCursor: '0',
    })
    await run([ingester], async () => ingester.status().lastSeq === this.network.head())
  }

  /** Indexes what is in the streams. */
  async index(): Promise<void> {
    const { streams: indexers } = await indexerLoops({
      settings: this.#settings,
      store: this.store,
      indexing: this.#indexing,
      background: this.#indexing,
      database: this.database,
      dids: this.#resolver(),
      handles: this.#handles(),
      accounts: new PdsStatus({ resolver: this.#resolver(), fetch: this.#fetch }),
      logger: silentLogger,
      meter: noMeter,
    })
    await run(indexers, async () => {
      const statuses = await this.store.status(Object.values(streams))
      return statuses.every(({ length }) => length === 0)
    })
  }

  /** Takes one batch of the live stream, and does nothing with it. */
  async takeAndKeep(consumer: string): Promise<void> {
    const stop = new AbortController()
    const source = this.store.consumer({
      stream: streams.firehoseLive,
      group: groups.firehose,
      consumer,
      codec: streamEventCodec,
    })
    for await (const batch of source.batches(stop.signal)) {
      if (batch.entries.length > 0) stop.abort()
    }
  }

  async trace(subject: string): Promise<Trace> {
    return await traceSubject(subject, {
      store: this.store,
      streams: Object.values(streams),
      database: this.database,
      tables: new Map(
        appBskyPlugins.flatMap(({ collection, table }) =>
          table === undefined ? [] : [[collection.collection, table]],
        ),
      ),
      resolver: this.#resolver(),
      handles: this.#handles(),
      fetch: this.#fetch,
    })
  }

  async doctor(sources: Partial<DoctorSources> = {}): Promise<Diagnosis> {
    return diagnose(await gatherFacts({ store: this.store, database: this.database, declared, ...sources }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#indexing[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    await this.network[Symbol.asyncDispose]()
  }

  #resolver(): DidResolver {
    return new DidResolver({ fetch: this.#fetch, plcUrl: this.network.plcUrl, allowPrivateHosts: true })
  }

  #handles(): HandleResolver {
    return new HandleResolver({ fetch: this.#fetch, resolverUrl: this.network.handleResolverUrl })
  }
}

async function run(loops: readonly Loop[], isDone: () => Promise<boolean>): Promise<void> {
  const stop = new AbortController()
  const running = loops.map((loop) => loop.run(stop.signal))
  try {
    await eventually(
      async () => {
        if (!(await isDone())) throw new Error('not all is done')
      },
      { timeoutMs: 20_000 },
    )
  } finally {
    stop.abort()
    await Promise.all(running)
  }
}
