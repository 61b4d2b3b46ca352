import { BackfillQueue, DirtyQueue, PostgresLedger, type Database } from '@millrace/database'
import { createGuardedFetch, DidResolver, HandleResolver, verifiedHandle } from '@millrace/identity'
import { HandleRefresher, IndexingService, RepoJanitor, StreamIndexer } from '@millrace/indexing'
import { FirehoseIngester } from '@millrace/ingest'
import { RepoBackfiller } from '@millrace/repo-backfill'
import {
  CollectionFilter,
  streamEventCodec,
  streamEventTextCodec,
  streams,
  type Logger,
  type Loop,
  type StreamStore,
} from '@millrace/stream-protocol'
import { CollectionLister, type CollectionListerStatus } from './collection-lister.ts'
import { statusLexicon } from './lexicons.ts'
import type { Network } from './network.ts'
import { statusphere } from './statusphere.ts'

export interface PipelineOptions {
  network: Network
  store: StreamStore
  database: Database
  logger: Logger
}

export interface PipelineStatus {
  firehose: { state: string; lastSeq: number | null }
  lister: CollectionListerStatus
  reposWaiting: number
  eventsWaiting: number
  handlesWaiting: number
  deadLetters: Record<string, number>
}

export interface Pipeline {
  readonly loops: Loop[]
  status(): Promise<PipelineStatus>
}

/** From the network to rows: the firehose, the repos of whoever has a status, and the indexers of both. */
export async function joinPipeline({ network, store, database, logger }: PipelineOptions): Promise<Pipeline> {
  const { relay, plcUrl, handleResolverUrl: resolverUrl, isPrivate: allowPrivateHosts } = network
  const ledger = new PostgresLedger({ database, logger })
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const dids = new DidResolver({ fetch, plcUrl, allowPrivateHosts })
  const handles = new HandleResolver({ fetch, resolverUrl })
  const queue = new BackfillQueue(database)
  const collections = new CollectionFilter([statusLexicon.id])
  const shared = { ledger, logger }

  const firehose = new FirehoseIngester({
    ...shared,
    host: relay,
    sink: store.writer({ stream: streams.firehoseLive, codec: streamEventCodec }),
    cursors: store.cursors,
    collections,
  })
  // What is written after the list was made is in the firehose, if that is open by then.
  const lister = new CollectionLister({
    relay,
    collection: statusLexicon.id,
    fetch,
    queue,
    cursors: store.cursors,
    isReady: () => firehose.status().state === 'streaming',
    logger,
  })
  const backfiller = new RepoBackfiller({
    ...shared,
    source: new DirtyQueue({
      database,
      hostUrl: (host) => `${allowPrivateHosts ? 'http' : 'https'}://${host}`,
      logger,
    }),
    sink: store.writer({ stream: streams.firehoseBackfill, codec: streamEventTextCodec, bulk: true }),
    resolver: dids,
    fetch,
    collections: async () => collections,
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
  const refresher = new HandleRefresher({
    database,
    async resolve(did, { fresh, patient }) {
      const found = await dids.resolve(did, { fresh, patient })
      return found.kind === 'found' ? await verifiedHandle(found.identity, handles, { patient }) : null
    },
    logger,
  })
  const janitor = new RepoJanitor({ database, indexing, logger })

  return {
    loops: [firehose, lister, backfiller, ...indexers, refresher, janitor],
    async status() {
      const [waiting, repos, { deadLetters }, handlesWaiting] = await Promise.all([
        store.status([streams.firehoseLive, streams.firehoseBackfill]),
        queue.counts(),
        ledger.summary(),
        refresher.pending(),
      ])
      return {
        firehose: firehose.status(),
        lister: lister.status(),
        reposWaiting: repos.waiting.backfill,
        eventsWaiting: waiting.reduce((sum, { length }) => sum + length, 0),
        handlesWaiting,
        deadLetters,
      }
    },
  }
}
