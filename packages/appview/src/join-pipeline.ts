import {
  BackfillQueue,
  BY_COLLECTION,
  CheckpointKeeper,
  DirtyQueue,
  PostgresLedger,
  readCheckpoint,
  shareCollectionFilter,
  shareRepos,
  StreamEpoch,
  type Database,
} from '@millrace/database'
import { createGuardedFetch, DidResolver, handleLookUp, HandleResolver } from '@millrace/identity'
import {
  AccountChecker,
  HandleRefresher,
  IndexingService,
  RepoJanitor,
  StreamIndexer,
  type PluginSet,
} from '@millrace/indexing'
import { BackfillIngester, FirehoseIngester, hostLabel, hostWithScheme } from '@millrace/ingest'
import { RepairRunner, RepairScheduler } from '@millrace/repair'
import { accountStatus, HostPacer, pacedFetch, RepoBackfiller } from '@millrace/repo-backfill'
import {
  backfillEventCodec,
  CollectionFilter,
  cursorKey,
  streamEventCodec,
  streamEventTextCodec,
  streams,
  type Logger,
  type Loop,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'

/** Where records come from. */
export interface AppViewNetwork {
  /** URL of the relay whose firehose is read. It has to list repos by collection. */
  relay: string
  /** Directory of `did:plc`. @default https://plc.directory */
  plcUrl?: string | undefined
  /** XRPC service that resolves handles, in place of DNS and HTTPS. */
  handleResolverUrl?: string | undefined
  /** Lets requests reach loopback and private addresses: for simulated networks. @default false */
  allowPrivateHosts?: boolean
}

export interface JoinPipelineOptions {
  network: AppViewNetwork
  /** Plugins of the collections that are taken. Its migrations have been applied. */
  set: PluginSet
  store: StreamStore
  database: Database
  logger: Logger
  meter: Meter
}

/** How far an AppView is. */
export interface AppViewStatus {
  /** Sequence number of the newest event that was read; null before the first. */
  lastSeq: number | null
  /** Whether all accounts are listed that have records of the collections, and how many they were. */
  isListed: boolean
  reposListed: number
  reposFetched: number
  /** What is not in the rows yet: repos to fetch, entries of streams, handles to look up. */
  waiting: { repos: number; events: number; handles: number }
  /** What was given up, by reason. */
  deadLetters: Readonly<Record<string, number>>
}

export interface Pipeline {
  readonly loops: Loop[]
  status(): Promise<AppViewStatus>
}

const GROUP = 'appview'
/** Before the first fetch of repos, which has the priority 3: what was lost comes first. */
const REPAIR_PRIORITY = 2

/** Joins the loops from the firehose and the repos of one relay to the rows. None of them runs yet. */
export async function joinPipeline({
  network,
  set,
  store,
  database,
  logger,
  meter,
}: JoinPipelineOptions): Promise<Pipeline> {
  const { relay, plcUrl, handleResolverUrl: resolverUrl, allowPrivateHosts = false } = network
  const host = hostLabel(relay)
  const collections = new CollectionFilter(set.plugins.map(({ collection }) => collection.collection))
  // Said before anything is read: who was passed over until now is fetched.
  await shareCollectionFilter({ database, collections, hosts: [host] })
  await shareRepos({ database, dids: BY_COLLECTION, hosts: [host] })

  const ledger = new PostgresLedger({ database, logger })
  const shared = { ledger, logger, meter }
  const guarded = createGuardedFetch({ allowPrivateHosts })
  const pacer = new HostPacer()
  const fetch = pacedFetch({ fetch: guarded, pacer, priority: REPAIR_PRIORITY })
  const dids = new DidResolver({ fetch: guarded, plcUrl, allowPrivateHosts })
  const handles = new HandleResolver({ fetch: guarded, resolverUrl })
  const hostUrl = (name: string): string => `${allowPrivateHosts ? 'http' : 'https'}://${name}`

  const firehose = new FirehoseIngester({
    ...shared,
    host: relay,
    sink: store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }),
    cursors: store.cursors,
    collections,
    byCollection: true,
    startCursor: () => readCheckpoint(database, host, streams.firehoseLive),
  })
  const queue = new BackfillQueue(database)
  const lister = new BackfillIngester({
    ...shared,
    host: relay,
    fetch,
    collections: collections.patterns,
    sink: store.writer({ stream: streams.repoBackfill, codec: backfillEventCodec }),
    cursors: store.cursors,
    ready: (signal) => firehose.connected(signal),
    // To the queue in the database in place of the stream: from then on it is known who is followed.
    async select(listed) {
      await queue.add(listed.map(({ did }) => did))
      return []
    },
  })
  const backfiller = new RepoBackfiller({
    ...shared,
    source: new DirtyQueue({ database, hostUrl, logger }),
    sink: store.writer({ stream: streams.firehoseBackfill, codec: streamEventTextCodec, bulk: true }),
    resolver: dids,
    fetch: guarded,
    pacer,
    collections: async () => collections,
    concurrency: 4,
  })

  const indexing = await IndexingService.open({
    database,
    plugins: set.plugins,
    otherCollections: 'skip',
    asksAboutAccounts: true,
    logger,
    meter,
  })
  const indexers = [streams.firehoseLive, streams.firehoseBackfill].map(
    (stream) =>
      new StreamIndexer({
        ...shared,
        source: store.consumer({ stream, group: GROUP, consumer: 'one', codec: streamEventCodec }),
        indexing,
      }),
  )
  const refresher = new HandleRefresher({ database, resolve: handleLookUp({ dids, handles }), logger, meter })
  const statuses = accountStatus({ resolver: dids, fetch: guarded, pacer })
  const checker = new AccountChecker({
    database,
    indexing,
    ask: (did, signal) => statuses.ask(did, signal),
    logger,
    meter,
  })

  const upstream = { host, stream: streams.firehoseLive, url: hostWithScheme(relay) }
  const upstreams = [{ ...upstream, cursorKey: cursorKey(upstream.stream, relay) }]
  const epoch = new StreamEpoch({
    database,
    store,
    streams: [streams.firehoseLive, streams.repoBackfill, streams.firehoseBackfill],
    upstreams,
    labelStream: streams.labelLive,
    repoStream: streams.repoBackfill,
    onLoss: () => firehose.restart(),
    logger,
    meter,
  })
  await epoch.check()

  return {
    loops: [
      firehose,
      lister,
      backfiller,
      ...indexers,
      refresher,
      checker,
      new RepoJanitor({ database, indexing, logger }),
      new RepairScheduler({ database, logger }),
      new RepairRunner({ database, resolver: dids, fetch, hostUrl, logger, meter }),
      new CheckpointKeeper({ database, store, upstreams, logger }),
      epoch,
    ],
    async status() {
      const { state, repos: reposListed } = lister.status()
      const [events, { dirty, deadLetters }, unresolved, unasked] = await Promise.all([
        store.status([streams.firehoseLive, streams.firehoseBackfill]),
        ledger.summary(),
        refresher.pending(),
        checker.pending(),
      ])
      return {
        lastSeq: firehose.status().lastSeq,
        isListed: state === 'done',
        reposListed,
        reposFetched: backfiller.status().done,
        waiting: {
          repos: dirty.count,
          events: events.reduce((sum, { length }) => sum + length, 0),
          handles: unresolved + unasked,
        },
        deadLetters,
      }
    },
  }
}
