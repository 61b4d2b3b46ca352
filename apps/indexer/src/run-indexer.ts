import { ConsumerLease, identityVersion, PauseWatch } from '@millrace/database'
import { createGuardedFetch, DidResolver, HandleResolver, HostLimits } from '@millrace/identity'
import { accountStatus } from '@millrace/repo-backfill'
import { chooseStreams, ConsumerJanitor, runAll, StreamGauges, type ProcessContext } from '@millrace/runtime'
import { openMigratedDatabase, openStreams, sharedPacer } from '@millrace/stores'
import type { indexerConfig } from './config.ts'
import { BACKGROUND_POOL_SIZE, indexerLoops, indexingPoolSize } from './indexer-loops.ts'

/** The indexer process: opens streams and database, and indexes until it is stopped. */
export async function runIndexer({
  config,
  env,
  logger,
  meter,
  health,
  signal,
}: ProcessContext<typeof indexerConfig>): Promise<void> {
  await using store = await openStreams(chooseStreams(config, env), { logger, meter, signal })
  health.add('store', () => store.ping())
  const location = { url: config.DB_POSTGRES_URL, schema: config.DB_POSTGRES_SCHEMA, logger, signal }
  await using database = await openMigratedDatabase({
    ...location,
    poolSize: config.DB_POSTGRES_POOL_SIZE,
    applicationName: 'millrace-indexer',
  })
  const apart = { ...location, migrates: false, pipeline: true }
  await using indexing = await openMigratedDatabase({
    ...apart,
    poolSize: indexingPoolSize(config),
    applicationName: 'millrace-indexer-records',
  })
  await using background = await openMigratedDatabase({
    ...apart,
    poolSize: BACKGROUND_POOL_SIZE,
    applicationName: 'millrace-indexer-accounts',
  })
  health.add('database', () => database.ping())
  await using lease = await ConsumerLease.take({
    database,
    groups: [config.INDEXER_GROUP, config.INDEXER_LABEL_GROUP],
    name: config.INDEXER_CONSUMER,
    logger,
    meter,
    signal,
  })
  health.add('consumer', () => lease.trouble())

  const allowPrivateHosts = config.MILLRACE_ALLOW_PRIVATE_HOSTS
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const limits = new HostLimits({ perSecond: config.INDEXER_HANDLE_HOST_RATE })
  const dids = new DidResolver({
    fetch,
    plcUrl: config.DID_PLC_URL,
    allowPrivateHosts,
    limits,
    version: identityVersion(database),
  })
  const pauses = await PauseWatch.open({ database, logger, meter })
  const { loops } = await indexerLoops({
    settings: { ...config, INDEXER_CONSUMER: lease.consumer },
    store,
    indexing,
    background,
    database,
    dids,
    accounts: accountStatus({ resolver: dids, fetch, limits, pacer: sharedPacer({ database, pauses, logger }) }),
    handles: new HandleResolver({
      fetch,
      limits,
      ...(config.HANDLE_RESOLVER_URL !== undefined && { resolverUrl: config.HANDLE_RESOLVER_URL }),
    }),
    pauses,
    logger,
    meter,
  })
  const gauges = new StreamGauges({
    store,
    streams: [...config.INDEXER_STREAMS, config.INDEXER_LABEL_STREAM],
    meter,
    logger,
  })
  const janitor = new ConsumerJanitor({
    store,
    groups: [
      ...config.INDEXER_STREAMS.map((stream) => ({ stream, group: config.INDEXER_GROUP })),
      { stream: config.INDEXER_LABEL_STREAM, group: config.INDEXER_LABEL_GROUP },
    ],
    logger,
    meter,
  })
  await runAll([...loops, lease, pauses, janitor, gauges], signal, { logger, meter, health })
}
