import { PauseWatch, PostgresLedger } from '@millrace/database'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { SignaturePool } from '@millrace/ingest'
import { chooseStreams, runAll, StreamGauges, type ProcessContext } from '@millrace/runtime'
import { openLedgerDatabase, openStreams, sharedPacer } from '@millrace/stores'
import { checkIngesterConfig } from './check-ingester-config.ts'
import { chosenDids } from './chosen-dids.ts'
import type { ingesterConfig } from './config.ts'
import {
  checkpointLoop,
  describeTrouble,
  ingesterLoops,
  shareAccounts,
  shareCollections,
  streamEpochLoop,
} from './ingester.ts'
import { pausableIngesters } from './pausable-ingesters.ts'

/** The ingester process: opens its stores, and reads its hosts until it is stopped. */
export async function runIngester(context: ProcessContext<typeof ingesterConfig>): Promise<void> {
  const { config, env, logger, meter, health, signal } = context
  checkIngesterConfig(config)
  await using store = await openStreams(chooseStreams(config, env), { logger, meter, signal })
  health.add('store', () => store.ping())
  await using database = await openLedgerDatabase({
    config,
    health,
    applicationName: 'millrace-ingester',
    logger,
    signal,
  })
  if (!database)
    logger.warn({}, 'DB_POSTGRES_URL is not set: dead letters, dirty marks and gaps are counted, and not kept')

  const allowPrivateHosts = config.MILLRACE_ALLOW_PRIVATE_HOSTS
  const fetch = createGuardedFetch({ allowPrivateHosts })
  const verify = config.INGESTER_VERIFY
  // Without commits to verify it has nothing to do.
  await using signaturePool = new SignaturePool({
    threads: verify === 'signatures' ? config.INGESTER_VERIFY_THREADS : 0,
  })
  const collections = config.INGESTER_COLLECTIONS
  const dids = await chosenDids(config.INGESTER_REPOS)
  const loops = ingesterLoops({
    store,
    ledger: database && new PostgresLedger({ database, logger }),
    database,
    hosts: config.INGESTER_HOSTS,
    labelerHosts: config.INGESTER_LABELER_HOSTS,
    unsignedLabelers: config.INGESTER_UNSIGNED_LABELERS,
    resolver: new DidResolver({ fetch, plcUrl: config.DID_PLC_URL, allowPrivateHosts }),
    signaturePool,
    pacer: database && sharedPacer({ database, logger }),
    allowPrivateHosts,
    verify,
    collections,
    dids,
    firehoseStream: config.INGESTER_FIREHOSE_STREAM,
    labelStream: config.INGESTER_LABEL_STREAM,
    repoStream: config.INGESTER_REPO_STREAM,
    highWaterMarks: {
      firehose: config.INGESTER_FIREHOSE_STREAM_HIGH_WATER_MARK,
      label: config.INGESTER_LABEL_STREAM_HIGH_WATER_MARK,
      repo: config.INGESTER_REPO_STREAM_HIGH_WATER_MARK,
    },
    logger,
    meter,
  })
  health.add('hosts', () => describeTrouble(loops))
  const gauges = new StreamGauges({
    store,
    streams: [config.INGESTER_FIREHOSE_STREAM, config.INGESTER_REPO_STREAM, config.INGESTER_LABEL_STREAM],
    meter,
    logger,
  })
  const epoch =
    database &&
    streamEpochLoop({
      store,
      database,
      loops,
      hosts: config.INGESTER_HOSTS,
      labelerHosts: config.INGESTER_LABELER_HOSTS,
      firehoseStream: config.INGESTER_FIREHOSE_STREAM,
      labelStream: config.INGESTER_LABEL_STREAM,
      repoStream: config.INGESTER_REPO_STREAM,
      logger,
      meter,
    })
  const keepers = epoch && [
    epoch,
    checkpointLoop({
      store,
      database,
      hosts: config.INGESTER_HOSTS,
      firehoseStream: config.INGESTER_FIREHOSE_STREAM,
      logger,
    }),
  ]
  if (database) {
    const hosts = config.INGESTER_HOSTS
    await shareCollections({ database, collections, hosts, logger })
    await shareAccounts({ database, dids, hosts, logger })
  }
  // Before anything is read: a cursor may be ahead of what the store still has.
  await epoch?.ready(signal)
  const pauses = database && (await PauseWatch.open({ database, logger, meter }))
  const beside = [...(keepers ?? []), ...(pauses ? [pauses] : []), gauges]
  await runAll([...pausableIngesters(loops, pauses), ...beside], signal, { logger, meter, health })
}
