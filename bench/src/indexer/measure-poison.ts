import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import { defineRecordPlugin, IndexingService, StreamIndexer, untypedRecord } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { openRedisStreams } from '@millrace/redis-streams'
import { groups, silentLogger, sleep, streamEventCodec, streams, type CreateEvent } from '@millrace/stream-protocol'
import { fillStream } from '../fill-stream.ts'
import { goals } from '../goals.ts'
import { atMost, exactly, figure, type Result } from '@millrace/testing/results'
import { comparedTables, compareTable } from '../rows/compare-rows.ts'
import type { Servers } from '../servers.ts'
import { stderrLogger } from '../stderr-logger.ts'
import { newRecords } from '../workload/new-records.ts'
import type { PartOptions } from './measure-live.ts'

/** A long batch is divided between so many. */
const LANES = 2
const COLLECTION = 'dev.millrace.bench.poison'

/** Its records pass every check of ours, and then Postgres refuses the row. */
const poisonPlugin = defineRecordPlugin({
  collection: untypedRecord(COLLECTION),
  table: 'bench_poison',
  toRow: ({ uri, cid, did }) => ({ uri, cid, creator: did, dose: 2 }),
})
const poisonTable = `
  create table bsky.bench_poison (
    uri varchar primary key, cid varchar not null, creator varchar not null, dose integer not null check (dose < 2)
  )`

/** What one record that cannot be stored costs the batch that it is in. */
export async function measurePoison({ servers, sizes, onProgress }: PartOptions): Promise<Result[]> {
  onProgress(`poison: one record among ${sizes.poison.toLocaleString('en')}`)
  const events = newRecords(sizes.poison - 1)
  const place = Math.floor(sizes.poison / 3)
  const poisoned = events.toSpliced(place, 0, poison(events[place]!))
  const urls = { ours: await servers.createDatabase('poisoned'), reference: await servers.createDatabase('healthy') }
  const healthy = await indexAtOnce(servers, urls.reference, events)
  const { transactions, deadLetters } = await indexAtOnce(servers, urls.ours, poisoned)
  const [committed] = await servers.query<{ records: number }>(
    'select count(*)::int as records from bsky.record',
    urls.ours,
  )
  let differences = 0
  for (const compared of comparedTables) differences += (await compareTable(urls, compared)).differences.length
  return [
    figure('poison: records in the batch', poisoned.length, 'records'),
    atMost(LANES, 'poison: transactions without it', healthy.transactions, 'transactions'),
    atMost(goals.poisonTransactions, 'poison: transactions with it', transactions, 'transactions'),
    exactly(1, 'poison: dead letters', deadLetters, 'entries'),
    exactly(events.length, 'poison: records committed beside it', committed?.records ?? Number.NaN, 'records'),
    exactly(0, 'poison: rows that differ from those without it', differences, 'rows'),
  ]
}

/** A record by the same account as the one beside it. */
function poison({ seq, time, did, commit, rev }: CreateEvent): CreateEvent {
  const record = { $type: COLLECTION }
  return { type: 'create', seq, time, did, commit, rev, collection: COLLECTION, rkey: rev, cid: commit, record }
}

/** Indexes the events as one batch, and counts the transactions. */
async function indexAtOnce(
  servers: Servers,
  postgresUrl: string,
  events: readonly CreateEvent[],
): Promise<{ transactions: number; deadLetters: number }> {
  await servers.emptyRedis()
  await using database = await openDatabase({ url: postgresUrl })
  await migrate(database)
  await servers.query(poisonTable, postgresUrl)
  await using records = await openDatabase({ url: postgresUrl, pipeline: true })
  await using store = await openRedisStreams({ url: servers.redisUrl, logger: stderrLogger })
  await fillStream(store, streams.firehoseLive, events)
  const ledger = new PostgresLedger({ database })
  const indexer = new StreamIndexer({
    source: store.consumer({
      stream: streams.firehoseLive,
      group: groups.firehose,
      consumer: 'bench',
      codec: streamEventCodec,
      batchSize: events.length,
    }),
    indexing: await IndexingService.open({ database: records, plugins: [...appBskyPlugins, poisonPlugin] }),
    ledger,
    // It would tell of the one that it gives up.
    logger: silentLogger,
  })
  let transactions = 0
  // Each transaction takes a connection out of this pool, and nothing else does.
  records.pool.on('acquire', () => transactions++)
  const stop = new AbortController()
  const running = indexer.run(stop.signal)
  const indexed = async (): Promise<void> => {
    while (indexer.status().entries < events.length) await sleep(5)
  }
  await Promise.race([running, indexed()])
  stop.abort()
  await running
  const { deadLetters } = await ledger.summary()
  return { transactions, deadLetters: Object.values(deadLetters).reduce((sum, count) => sum + count, 0) }
}
