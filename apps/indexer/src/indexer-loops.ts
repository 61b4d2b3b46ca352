import { PostgresLedger, type Database } from '@millrace/database'
import { verifiedHandle, type DidResolver, type HandleResolver } from '@millrace/identity'
import {
  HandleRefresher,
  IndexingService,
  LabelIndexer,
  RepoJanitor,
  StreamIndexer,
  type ResolveHandle,
} from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import type { ConfigOf } from '@millrace/runtime'
import {
  labelEventCodec,
  streamEventCodec,
  type Logger,
  type Loop,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'
import type { indexerConfig } from './config.ts'

export type IndexerSettings = Pick<
  ConfigOf<typeof indexerConfig>,
  | 'INDEXER_CONSUMER'
  | 'INDEXER_STREAMS'
  | 'INDEXER_LABEL_STREAM'
  | 'INDEXER_GROUP'
  | 'INDEXER_LABEL_GROUP'
  | 'INDEXER_CONCURRENCY'
  | 'INDEXER_BATCH_SIZE'
  | 'INDEXER_OTHER_COLLECTIONS'
  | 'INDEXER_NOTIFICATION_HORIZON'
  | 'INDEXER_HANDLE_CONCURRENCY'
  | 'INDEXER_HANDLE_RATE'
  | 'INDEXER_HANDLE_RECHECK'
>

export interface IndexerParts {
  settings: IndexerSettings
  store: StreamStore
  /** Opened with `pipeline: true`: for the records and the labels alone. */
  indexing: Database
  /** For everything else, so that neither waits for the other's connections (hazard X19). */
  database: Database
  dids: DidResolver
  handles: HandleResolver
  logger: Logger
  meter: Meter
}

export interface IndexerLoops {
  loops: Loop[]
  streams: StreamIndexer[]
  labels: LabelIndexer
  handles: HandleRefresher
}

/** The loops of the indexer: one for each stream, one for labels, one for handles. */
export async function indexerLoops({
  settings,
  store,
  indexing,
  database,
  dids,
  handles,
  logger,
  meter,
}: IndexerParts): Promise<IndexerLoops> {
  const service = await IndexingService.open({
    database: indexing,
    plugins: appBskyPlugins,
    otherCollections: settings.INDEXER_OTHER_COLLECTIONS,
    notificationHorizonMs: horizonMs(settings.INDEXER_NOTIFICATION_HORIZON),
    logger,
    meter,
  })
  const ledger = new PostgresLedger({ database, logger })
  const reading = { consumer: settings.INDEXER_CONSUMER, batchSize: settings.INDEXER_BATCH_SIZE }
  const streams = settings.INDEXER_STREAMS.map((stream) => {
    const source = store.consumer({ ...reading, stream, group: settings.INDEXER_GROUP, codec: streamEventCodec })
    return new StreamIndexer({
      source,
      ledger,
      indexing: service,
      concurrency: settings.INDEXER_CONCURRENCY,
      logger,
      meter,
    })
  })
  const labelSource = store.consumer({
    ...reading,
    stream: settings.INDEXER_LABEL_STREAM,
    group: settings.INDEXER_LABEL_GROUP,
    codec: labelEventCodec,
  })
  const labels = new LabelIndexer({ source: labelSource, ledger, indexing: service, logger, meter })
  const refresher = new HandleRefresher({
    database,
    resolve: resolveHandle(dids, handles),
    concurrency: settings.INDEXER_HANDLE_CONCURRENCY,
    perSecond: settings.INDEXER_HANDLE_RATE,
    recheckMs: settings.INDEXER_HANDLE_RECHECK === 'never' ? Number.POSITIVE_INFINITY : settings.INDEXER_HANDLE_RECHECK,
    logger,
    meter,
  })
  const janitor = new RepoJanitor({ database, indexing: service, logger, meter })
  return { loops: [...streams, labels, refresher, janitor], streams, labels, handles: refresher }
}

/** A handle counts only when the account's document names it and it leads back to the account (hazard D2). */
export function resolveHandle(dids: DidResolver, handles: HandleResolver): ResolveHandle {
  return async (did, { fresh, patient }) => {
    const resolution = await dids.resolve(did, { fresh, patient })
    return resolution.kind === 'absent' ? null : await verifiedHandle(resolution.identity, handles, { patient })
  }
}

function horizonMs(horizon: number | 'all' | 'none'): number {
  if (horizon === 'all') return Number.POSITIVE_INFINITY
  return horizon === 'none' ? 0 : horizon
}

/** Connections that the indexer needs for records: one for each batch at work, and one for labels. */
export function indexingPoolSize({
  INDEXER_STREAMS,
  INDEXER_CONCURRENCY,
}: Pick<IndexerSettings, 'INDEXER_STREAMS' | 'INDEXER_CONCURRENCY'>): number {
  return INDEXER_STREAMS.length * INDEXER_CONCURRENCY + 1
}
