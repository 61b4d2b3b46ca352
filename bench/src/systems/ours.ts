import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import { IndexingService, StreamIndexer } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { openRedisStreams } from '@millrace/redis-streams'
import { groups, sleep, streamEventCodec, type StreamStore } from '@millrace/stream-protocol'
import { fillStream } from '../fill-stream.ts'
import { stderrLogger } from '../stderr-logger.ts'
import { measureRun, type Measurement, type SystemOptions } from './measurement.ts'
import { countRecords, parseEvent, readEventLines } from './read-events.ts'
import { RoundTripCounter } from './round-trip-counter.ts'

/**
 * Our indexer on a filled stream, with the batches that the app has by default. Its clock stops when the last entry is
 * acked: reading, checking and acks included.
 */
export async function indexWithMillrace(options: SystemOptions): Promise<Measurement> {
  const { eventsFile, postgresUrl, redisUrl, stream } = options
  await using database = await openDatabase({ url: postgresUrl, pipeline: true })
  await migrate(database)
  await using store = await openRedisStreams({ url: redisUrl, logger: stderrLogger })
  const { entries, records } = await fill(store, stream, eventsFile)
  const ledger = new PostgresLedger({ database })
  const indexer = new StreamIndexer({
    source: store.consumer({
      stream,
      group: groups.firehose,
      consumer: 'bench',
      codec: streamEventCodec,
      batchSize: 2000,
    }),
    indexing: await IndexingService.open({
      database,
      plugins: appBskyPlugins,
      // The events are older than what notifies by default, and the reference knows no such limit.
      notificationHorizonMs: Number.POSITIVE_INFINITY,
      logger: stderrLogger,
    }),
    ledger,
    logger: stderrLogger,
  })

  const stop = new AbortController()
  const counter = new RoundTripCounter(database.pool)
  let running = Promise.resolve()
  let roundTrips = 0
  const cost = await measureRun(database.pool, async () => {
    const before = counter.count
    running = indexer.run(stop.signal)
    await Promise.race([running, waitForEntries(indexer, entries)])
    roundTrips = counter.count - before
  })
  stop.abort()
  await running
  const [status] = await store.status([stream])
  if (status?.length !== 0) throw new Error(`${status?.length} entries are left in ${stream}`)
  const { deadLetters } = await ledger.summary()
  const failed = Object.values(deadLetters).reduce((sum, count) => sum + count, 0)
  return { system: 'ours', records, failed, roundTrips, perSecond: records / cost.seconds, ...cost }
}

/** Keeps none of the events: the indexer alone shall pay for its memory. */
async function fill(
  store: StreamStore,
  stream: string,
  eventsFile: string,
): Promise<{ entries: number; records: number }> {
  const lines = await readEventLines(eventsFile)
  await fillStream(store, stream, lines.map(parseEvent))
  return { entries: lines.length, records: countRecords(lines) }
}

async function waitForEntries(indexer: StreamIndexer, count: number): Promise<void> {
  while (indexer.status().entries < count) await sleep(2)
}
