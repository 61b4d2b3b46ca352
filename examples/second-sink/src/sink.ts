import { DirtyQueue, PostgresLedger, type Database } from '@millrace/database'
import { createGuardedFetch, DidResolver, handleLookUp, HandleResolver } from '@millrace/identity'
import { HandleRefresher, IndexingService, RepoJanitor, StreamIndexer } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { BackfillIngester } from '@millrace/ingest'
import { HostPacer, RepoBackfiller } from '@millrace/repo-backfill'
import {
  backfillEventCodec,
  streamEventCodec,
  streamEventTextCodec,
  streams,
  type Logger,
  type Loop,
  type StreamStore,
} from '@millrace/stream-protocol'
import type { NetworkPlace } from './network-place.ts'

export interface SinkOptions {
  /** Consumer group on the live stream, unique to this database. */
  group: string
  database: Database
  store: StreamStore
  network: NetworkPlace
  /** Repos to fetch for this database, and their records: nobody else reads them. */
  repoStream: string
  backfillStream: string
  /** Resolves when what is written from then on is in the live stream, for this group. */
  ready: (signal: AbortSignal) => Promise<void>
  logger: Logger
}

/** A database at the end of a pipeline. */
export interface Sink {
  readonly group: string
  readonly database: Database
  readonly loops: Loop[]
  /** Repos that were fetched. */
  backfilled(): number
  /** Live entries that were indexed. */
  indexedLive(): number
  /** Records of repos that were indexed, and the events that end them. */
  indexedFromRepos(): number
  /** Entries that this database has still to index, live and of repos, and repos that have still to be fetched. */
  waiting(): Promise<{ live: number; repos: number; handles: number }>
}

/** Everything between the streams and one database: it has a place of its own in the live stream, and a backfill. */
export async function openSink(options: SinkOptions): Promise<Sink> {
  const { group, database, store, network, repoStream, backfillStream, ready, logger } = options
  const fetch = createGuardedFetch({ allowPrivateHosts: true })
  const dids = new DidResolver({ fetch, plcUrl: network.plcUrl, allowPrivateHosts: true })
  const handles = new HandleResolver({ fetch, resolverUrl: network.handleResolverUrl })
  const shared = { ledger: new PostgresLedger({ database, logger }), logger }
  const consumer = 'one'

  const lister = new BackfillIngester({
    ...shared,
    host: network.relayUrl,
    sink: store.writer({ stream: repoStream, codec: backfillEventCodec, bulk: true }),
    cursors: store.cursors,
    // A repo that is listed before its live events come to this group would have a hole between the two.
    ready,
  })
  const fetching = {
    ...shared,
    sink: store.writer({ stream: backfillStream, codec: streamEventTextCodec, bulk: true }),
    resolver: dids,
    fetch,
    pacer: new HostPacer(),
  }
  const listed = store.consumer({
    stream: repoStream,
    group,
    consumer,
    codec: backfillEventCodec,
    keepsClaims: true,
  })
  const backfiller = new RepoBackfiller({ ...fetching, source: listed, concurrency: 4 })
  const marked = new DirtyQueue({ database, hostUrl: (host) => `http://${host}`, logger })
  const refetcher = new RepoBackfiller({ ...fetching, source: marked })

  const indexing = await IndexingService.open({
    database,
    plugins: appBskyPlugins,
    notificationHorizonMs: Infinity,
    logger,
  })
  const indexer = (stream: string): StreamIndexer =>
    new StreamIndexer({
      ...shared,
      source: store.consumer({ stream, group, consumer, codec: streamEventCodec }),
      indexing,
    })
  const live = indexer(streams.firehoseLive)
  const ofRepos = indexer(backfillStream)
  const refresher = new HandleRefresher({ database, resolve: handleLookUp({ dids, handles }), logger })

  return {
    group,
    database,
    loops: [lister, backfiller, refetcher, live, ofRepos, refresher, new RepoJanitor({ database, indexing, logger })],
    backfilled: () => backfiller.status().done,
    indexedLive: () => live.status().entries,
    indexedFromRepos: () => ofRepos.status().entries,
    async waiting() {
      // Asked first: what is listed afterwards stands in the streams.
      const isListed = lister.status().state === 'done'
      const [statuses, handles] = await Promise.all([
        store.status([streams.firehoseLive, repoStream, backfillStream]),
        refresher.pending(),
      ])
      const [live = 0, ...repos] = statuses.map(({ groups, length }) => {
        const ours = groups.find(({ name }) => name === group)
        return ours ? ours.pending + (ours.undelivered ?? length) : length
      })
      return { live, repos: repos.reduce((sum, count) => sum + count, isListed ? 0 : 1), handles }
    },
  }
}
