import { backfillerLoops, pausableBackfillers, repairLoops, reporterLoop } from '@millrace/backfiller'
import { identityVersion, PauseWatch, PostgresLedger } from '@millrace/database'
import { createGuardedFetch, DidResolver, HandleResolver, HostLimits } from '@millrace/identity'
import { indexerLoops, type IndexerLoops, type IndexerSettings } from '@millrace/indexer'
import {
  checkpointLoop,
  ingesterLoops,
  pausableIngesters,
  streamEpochLoop,
  type IngesterLoop,
} from '@millrace/ingester'
import { accountStatus, type RepoWorkers } from '@millrace/repo-backfill'
import { sharedPacer } from '@millrace/stores'
import { groups, streams, type Logger, type Loop, type Meter } from '@millrace/stream-protocol'
import type { SourceNetwork } from './network.ts'
import type { UpOptions } from './options.ts'
import type { Services } from './services.ts'

/** One process reads alone, under the same name at every start: what it left pending comes back to it. */
const CONSUMER = 'up'

export const upIndexerSettings: IndexerSettings = {
  INDEXER_CONSUMER: CONSUMER,
  INDEXER_STREAMS: [streams.firehoseLive, streams.firehoseBackfill],
  INDEXER_LABEL_STREAM: streams.labelLive,
  INDEXER_GROUP: groups.firehose,
  INDEXER_LABEL_GROUP: groups.label,
  INDEXER_CONCURRENCY: 1,
  INDEXER_BATCH_SIZE: 2_000,
  INDEXER_OTHER_COLLECTIONS: 'record',
  INDEXER_NOTIFICATION_HORIZON: 3 * 86_400_000,
  INDEXER_HANDLE_CONCURRENCY: 50,
  INDEXER_HANDLE_RATE: 100,
  INDEXER_HANDLE_RECHECK: 86_400_000,
}

export interface Pipeline {
  loops: Loop[]
  ingesters: IngesterLoop[]
  backfillers: ReturnType<typeof backfillerLoops>
  indexers: IndexerLoops
  pauses: PauseWatch
  ledger: PostgresLedger
}

export interface PipelineOptions {
  up: UpOptions
  network: SourceNetwork
  services: Services
  plcUrl: string
  handleResolverUrl: string | undefined
  allowPrivateHosts: boolean
  /** Threads that read large repos. Without them, all is done in this thread. */
  workers?: RepoWorkers
  logger: Logger
  meter: Meter
}

/** The parts of all roles, joined in one process. */
export async function joinPipeline({
  up,
  network,
  services,
  plcUrl,
  handleResolverUrl,
  allowPrivateHosts,
  workers,
  logger,
  meter,
}: PipelineOptions): Promise<Pipeline> {
  const { store, database, indexing, background } = services
  const ledger = new PostgresLedger({ database, logger })
  const fetch = createGuardedFetch({ allowPrivateHosts, userAgent: 'millrace' })
  // All hosts of a simulated network are one, which would be asked as one.
  const limits = new HostLimits(up.network === 'sim' ? { perSecond: 1_000 } : {})
  const dids = new DidResolver({ fetch, plcUrl, allowPrivateHosts, limits, version: identityVersion(database) })
  const handles = new HandleResolver({
    fetch,
    limits,
    ...(handleResolverUrl !== undefined && { resolverUrl: handleResolverUrl }),
  })
  const shared = { store, ledger, logger, meter }
  const pauses = await PauseWatch.open({ database, logger, meter })
  const pacer = sharedPacer({ database, pauses, logger })
  const ingesters = ingesterLoops({
    ...shared,
    database,
    hosts: [network.relay],
    labelerHosts: network.labelers,
    resolver: dids,
    pacer,
    allowPrivateHosts,
    ...(up.repos !== undefined && { maxRepos: up.repos }),
  })
  const hostUrl = (host: string): string => `${allowPrivateHosts ? 'http' : 'https'}://${host}`
  const backfillers = backfillerLoops({
    ...shared,
    database,
    hostUrl,
    consumer: CONSUMER,
    resolver: dids,
    fetch,
    concurrency: 4,
    pacer,
    ...(workers && { workers }),
  })
  const settings: IndexerSettings = {
    ...upIndexerSettings,
    ...(up.network === 'sim' && { INDEXER_NOTIFICATION_HORIZON: 'all' }),
  }
  const accounts = accountStatus({ resolver: dids, fetch, limits, pacer })
  const indexers = await indexerLoops({
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
  })
  const hosts = [network.relay]
  const epoch = streamEpochLoop({
    store,
    database,
    loops: ingesters,
    hosts,
    labelerHosts: network.labelers,
    logger,
    meter,
  })
  await epoch.check()
  const reporter = reporterLoop(backfillers, {
    database,
    store,
    name: CONSUMER,
    stream: streams.repoBackfill,
    logger,
  })
  const keepers = [epoch, ...(reporter ? [reporter] : []), checkpointLoop({ store, database, hosts, logger }), pauses]
  const repairs = repairLoops({ database, resolver: dids, fetch, hostUrl, pacer, logger, meter })
  return {
    loops: [
      ...pausableIngesters(ingesters, pauses),
      ...pausableBackfillers({ backfillers, repairs, pauses }),
      ...indexers.loops,
      ...keepers,
    ],
    ingesters,
    backfillers,
    indexers,
    pauses,
    ledger,
  }
}
