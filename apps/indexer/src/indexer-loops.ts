import { DeadLetterQueue, PostgresLedger, type Database, type PauseWatch } from '@millrace/database'
import { handleLookUp, type DidResolver, type HandleResolver, type PdsStatus } from '@millrace/identity'
import {
  AccountChecker,
  ClockWatch,
  HandleRefresher,
  IndexingService,
  LabelIndexer,
  RepoJanitor,
  StreamIndexer,
} from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { PausableLoop, type ConfigOf } from '@millrace/runtime'
import {
  labelEventCodec,
  streamEventCodec,
  type Logger,
  type Loop,
  type Meter,
  type StreamStore,
} from '@millrace/stream-protocol'
import type { indexerConfig } from './config.ts'
import { PausedRepoReleaser } from './paused-repo-releaser.ts'

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
  /** Opened with `pipeline: true`: for the status and the removal of accounts. */
  background: Database
  /** For everything else, so that none waits for the others' connections (hazard X19). */
  database: Database
  dids: DidResolver
  handles: HandleResolver
  /** Asks the PDS of accounts how they stand. */
  accounts: Pick<PdsStatus, 'ask'>
  /** Knows what operators have paused. @default nothing */
  pauses?: Pick<PauseWatch, 'isPaused'> | undefined
  logger: Logger
  meter: Meter
}

export interface IndexerLoops {
  loops: Loop[]
  streams: StreamIndexer[]
  labels: LabelIndexer
  handles: HandleRefresher
  accounts: AccountChecker
}

/** The loops of the indexer: one for each stream, and those that look after labels, handles, accounts, repos and the clock. */
export async function indexerLoops({
  settings,
  store,
  indexing,
  background,
  database,
  dids,
  handles,
  accounts,
  pauses,
  logger,
  meter,
}: IndexerParts): Promise<IndexerLoops> {
  const service = await IndexingService.open({
    database: indexing,
    background,
    asksAboutAccounts: true,
    plugins: appBskyPlugins,
    otherCollections: settings.INDEXER_OTHER_COLLECTIONS,
    ...(pauses && { isPaused: (collection: string) => pauses.isPaused('collection', collection) }),
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
  // Dead letters that an operator has put back take the way of their stream, beside it.
  const replaying = { indexing: service, concurrency: 1, doubt: REPLAY_DOUBT, replays: true, logger, meter }
  const replays = settings.INDEXER_STREAMS.map((stream) => {
    const source = new DeadLetterQueue({ database, stream, codec: streamEventCodec, ledger, logger })
    return new StreamIndexer({ ...replaying, source, ledger: source.ledger })
  })
  const labelReplay = new DeadLetterQueue({
    database,
    stream: settings.INDEXER_LABEL_STREAM,
    codec: labelEventCodec,
    ledger,
    logger,
  })
  const labelReplays = new LabelIndexer({ ...replaying, source: labelReplay, ledger: labelReplay.ledger })
  const refresher = new HandleRefresher({
    database,
    // Whether an account that is gone is deleted is decided where statuses are (hazard D8).
    resolve: handleLookUp({ dids, handles, onTombstone: (did) => service.askAboutAccounts([did]) }),
    concurrency: settings.INDEXER_HANDLE_CONCURRENCY,
    perSecond: settings.INDEXER_HANDLE_RATE,
    recheckMs: settings.INDEXER_HANDLE_RECHECK === 'never' ? Number.POSITIVE_INFINITY : settings.INDEXER_HANDLE_RECHECK,
    logger,
    meter,
  })
  const janitor = new RepoJanitor({ database, indexing: service, logger, meter })
  const checker = new AccountChecker({
    database,
    indexing: service,
    ask: (did, signal) => accounts.ask(did, signal),
    logger,
    meter,
  })
  const clock = new ClockWatch({ database, eventLeadMs: () => smallestLeadMs(streams), logger, meter })
  const pausable =
    (group?: string) =>
    (loop: Loop): Loop =>
      pauses
        ? new PausableLoop({
            loop,
            isPaused: () =>
              pauses.isPaused('role', 'indexer') || (group !== undefined && pauses.isPaused('group', group)),
          })
        : loop
  return {
    loops: [
      ...[...streams, ...replays].map(pausable(settings.INDEXER_GROUP)),
      ...[labels, labelReplays].map(pausable(settings.INDEXER_LABEL_GROUP)),
      ...[refresher, checker, janitor].map(pausable()),
      clock,
      ...(pauses ? [new PausedRepoReleaser({ database, logger })] : []),
    ],
    streams,
    labels,
    handles: refresher,
    accounts: checker,
  }
}

function smallestLeadMs(streams: readonly StreamIndexer[]): number | undefined {
  const leads = streams.map((stream) => stream.leadMs()).filter((lead) => lead !== undefined)
  return leads.length === 0 ? undefined : Math.min(...leads)
}

function horizonMs(horizon: number | 'all' | 'none'): number {
  if (horizon === 'all') return Number.POSITIVE_INFINITY
  return horizon === 'none' ? 0 : horizon
}

/** Connections for the status and the removal of accounts: transactions are short, and wait for each other. */
export const BACKGROUND_POOL_SIZE = 3

/** What fails again is kept: nothing is lost by a short look at it. */
const REPLAY_DOUBT = { minMs: 200, maxMs: 2_000 }

/** Connections that the indexer needs for records: one for each batch at work, live or replayed, and two for labels. */
export function indexingPoolSize({
  INDEXER_STREAMS,
  INDEXER_CONCURRENCY,
}: Pick<IndexerSettings, 'INDEXER_STREAMS' | 'INDEXER_CONCURRENCY'>): number {
  return INDEXER_STREAMS.length * (INDEXER_CONCURRENCY + 1) + 2
}
