import { ConsumerLease, identityVersion, PauseWatch, PostgresLedger } from '@millrace/database'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { RepoWorkers } from '@millrace/repo-backfill'
import { chooseStreams, ConsumerJanitor, runAll, StreamGauges, type ProcessContext } from '@millrace/runtime'
import { openLedgerDatabase, openStreams, sharedPacer } from '@millrace/stores'
import { backfillerLoops, repairLoops, reporterLoop } from './backfiller.ts'
import type { backfillerConfig } from './config.ts'
import { pausableBackfillers } from './pausable-backfillers.ts'

/** The backfiller process: opens its stores, and fetches repos until it is stopped. */
export async function runBackfiller(context: ProcessContext<typeof backfillerConfig>): Promise<void> {
  const { config, env, logger, meter, health, signal } = context
  await using store = await openStreams(chooseStreams(config, env), { logger, meter, signal })
  health.add('store', () => store.ping())
  await using database = await openLedgerDatabase({
    config,
    health,
    applicationName: 'millrace-backfiller',
    logger,
    signal,
  })
  if (!database)
    logger.warn({}, 'DB_POSTGRES_URL is not set: repos that are given up stay pending, and are not kept elsewhere')
  await using lease =
    database &&
    (await ConsumerLease.take({
      database,
      groups: [config.BACKFILLER_GROUP],
      name: config.BACKFILLER_CONSUMER,
      logger,
      meter,
      signal,
    }))
  if (lease) health.add('consumer', () => lease.trouble())

  const allowPrivateHosts = config.MILLRACE_ALLOW_PRIVATE_HOSTS
  if (allowPrivateHosts) logger.warn({}, 'MILLRACE_ALLOW_PRIVATE_HOSTS is set: requests may reach private addresses')
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const hostUrl = (host: string): string => `${allowPrivateHosts ? 'http' : 'https'}://${host}`
  const resolver = new DidResolver({
    fetch,
    plcUrl: config.DID_PLC_URL,
    allowPrivateHosts,
    ...(database && { version: identityVersion(database) }),
  })
  await using workers = new RepoWorkers()
  const pauses = database && (await PauseWatch.open({ database, logger, meter }))
  const pacer = database && sharedPacer({ database, pauses, logger })
  const name = lease?.consumer ?? config.BACKFILLER_CONSUMER
  const loops = backfillerLoops({
    store,
    ledger: database && new PostgresLedger({ database, logger }),
    database,
    hostUrl,
    resyncConcurrency: config.BACKFILLER_RESYNC_CONCURRENCY,
    consumer: name,
    group: config.BACKFILLER_GROUP,
    concurrency: config.BACKFILLER_CONCURRENCY,
    backfillStream: config.BACKFILLER_BACKFILL_STREAM,
    firehoseStream: config.BACKFILLER_FIREHOSE_STREAM,
    highWaterMark: config.BACKFILLER_FIREHOSE_STREAM_HIGH_WATER_MARK,
    attempts: config.BACKFILLER_ATTEMPTS,
    claimIdleMs: config.BACKFILLER_CLAIM_IDLE,
    workers,
    ...(pacer && { pacer }),
    resolver,
    fetch,
    logger,
    meter,
  })
  const gauges = new StreamGauges({
    store,
    streams: [config.BACKFILLER_BACKFILL_STREAM, config.BACKFILLER_FIREHOSE_STREAM],
    meter,
    logger,
  })
  const janitor = new ConsumerJanitor({
    store,
    groups: [{ stream: config.BACKFILLER_BACKFILL_STREAM, group: config.BACKFILLER_GROUP }],
    logger,
    meter,
  })
  const reporter =
    database && reporterLoop(loops, { database, store, name, stream: config.BACKFILLER_BACKFILL_STREAM, logger })
  const everyMs = config.BACKFILLER_COMPARE_EVERY
  const repairs = pacer && repairLoops({ database, resolver, fetch, hostUrl, pacer, everyMs, logger, meter })
  const working = pausableBackfillers({ backfillers: loops, repairs, group: config.BACKFILLER_GROUP, pauses })
  const beside = [lease, pauses, reporter].filter((loop) => loop !== undefined)
  await runAll([...working, ...beside, janitor, gauges], signal, {
    logger,
    meter,
    health,
  })
}
