import { BackfillQueue, DirtyQueue, PostgresLedger, type Database } from '@millrace/database'
import { createGuardedFetch, DidResolver, handleLookUp, HandleResolver } from '@millrace/identity'
import { HandleRefresher, IndexingService, RepoJanitor, StreamIndexer } from '@millrace/indexing'
import { BackfillIngester, FirehoseIngester } from '@millrace/ingest'
import { RepoBackfiller } from '@millrace/repo-backfill'
import {
  backfillEventCodec,
  CollectionFilter,
  streamEventCodec,
  streamEventTextCodec,
  streams,
  type Logger,
  type Loop,
  type StreamStore,
} from '@millrace/stream-protocol'
import { statusLexicon } from './lexicons.ts'
import type { Network } from './network.ts'
import { statusphere } from './statusphere.ts'

export interface PipelineOptions {
  network: Network
  store: StreamStore
  database: Database
  logger: Logger
}

export interface Pipeline {
  readonly loops: Loop[]
  status(): Promise<PipelineStatus>
}

export interface PipelineStatus {
  /** Sequence number of the newest event that was read; null before the first. */
  lastSeq: number | null
  /** Whether all accounts are listed that have a status, and how many they were. */
  isListed: boolean
  reposListed: number
  reposFetched: number
  /** What is not indexed yet. */
  waiting: { repos: number; events: number; handles: number }
  deadLetters: Record<string, number>
}

/** From the network to rows: the firehose, the repos of whoever has a status, and the indexers of both. */
export async function joinPipeline({ network, store, database, logger }: PipelineOptions): Promise<Pipeline> {
  const { relay: host, plcUrl, handleResolverUrl: resolverUrl, isPrivate: allowPrivateHosts } = network
  const ledger = new PostgresLedger({ database, logger })
  const shared = { ledger, logger }
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const dids = new DidResolver({ fetch, plcUrl, allowPrivateHosts })
  const handles = new HandleResolver({ fetch, resolverUrl })
  const collections = new CollectionFilter([statusLexicon.id])

  const firehose = new FirehoseIngester({
    ...shared,
    host,
    sink: store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }),
    cursors: store.cursors,
    collections,
    byCollection: true,
  })
  const queue = new BackfillQueue(database)
  const lister = new BackfillIngester({
    ...shared,
    host,
    collections: collections.patterns,
    sink: store.writer({ stream: streams.repoBackfill, codec: backfillEventCodec }),
    cursors: store.cursors,
    ready: (signal) => firehose.connected(signal),
    // To the queue in the database in place of the stream: from now on it is known who is followed.
    async select(listed) {
      await queue.add(listed.map(({ did }) => did))
      return []
    },
  })
  const backfiller = new RepoBackfiller({
    ...shared,
    source: new DirtyQueue({
      database,
      ...(allowPrivateHosts && { hostUrl: (host) => `http://${host}` }),
      logger,
    }),
    sink: store.writer({ stream: streams.firehoseBackfill, codec: streamEventTextCodec, bulk: true }),
    resolver: dids,
    fetch,
    collections: async () => collections,
    concurrency: 4,
  })

  const { plugins } = statusphere
  const indexing = await IndexingService.open({ database, plugins, otherCollections: 'skip', logger })
  const indexers = [streams.firehoseLive, streams.firehoseBackfill].map(
    (stream) =>
      new StreamIndexer({
        ...shared,
        source: store.consumer({ stream, group: 'statusphere', consumer: 'one', codec: streamEventCodec }),
        indexing,
      }),
  )
  const refresher = new HandleRefresher({ database, resolve: handleLookUp({ dids, handles }), logger })
  const janitor = new RepoJanitor({ database, indexing, logger })

  return {
    loops: [firehose, lister, backfiller, ...indexers, refresher, janitor],
    async status() {
      const { state, repos: reposListed } = lister.status()
      const [events, { dirty, deadLetters }, handles] = await Promise.all([
        store.status([streams.firehoseLive, streams.firehoseBackfill]),
        ledger.summary(),
        refresher.pending(),
      ])
      return {
        lastSeq: firehose.status().lastSeq,
        isListed: state === 'done',
        reposListed,
        reposFetched: backfiller.status().done,
        waiting: { repos: dirty.count, events: events.reduce((sum, { length }) => sum + length, 0), handles },
        deadLetters,
      }
    },
  }
}
