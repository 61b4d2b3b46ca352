import { migrate, openDatabase, PostgresLedger } from '@millrace/database'
import { IndexingService, StreamIndexer } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { openRedisStreams } from '@millrace/redis-streams'
import { groups, sleep, streamEventCodec, streams, type Logger, type StreamStore } from '@millrace/stream-protocol'
import { measurement, timed, type Measurement, type SystemOptions } from './measurement.ts'
import { parseRecordEvent, readEventLines } from './read-events.ts'

const STREAM = streams.firehoseLive

/** Our indexer on a filled stream. Its clock stops when the last entry is acked: reading, checking and acks included. */
export async function indexWithMillrace({ eventsFile, postgresUrl, redisUrl }: SystemOptions): Promise<Measurement> {
  await using database = await openDatabase({ url: postgresUrl, pipeline: true })
  await migrate(database)
  await using store = await openRedisStreams({ url: redisUrl, logger: stderrLogger })
  const events = await fillStream(store, eventsFile)
  const ledger = new PostgresLedger({ database })
  const indexer = new StreamIndexer({
    source: store.consumer({
      stream: STREAM,
      group: groups.firehose,
      consumer: 'bench',
      codec: streamEventCodec,
      batchSize: 1000,
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
  let running = Promise.resolve()
  const seconds = await timed(async () => {
    running = indexer.run(stop.signal)
    await Promise.race([running, waitForEntries(indexer, events)])
  })
  stop.abort()
  await running
  const [status] = await store.status([STREAM])
  if (status?.length !== 0) throw new Error(`${status?.length} entries are left in ${STREAM}`)
  const { deadLetters } = await ledger.summary()
  const failed = Object.values(deadLetters).reduce((sum, count) => sum + count, 0)
  return measurement('ours', events, failed, seconds)
}

async function fillStream(store: StreamStore, eventsFile: string): Promise<number> {
  const events = (await readEventLines(eventsFile)).map(parseRecordEvent)
  await store.ensureGroup(STREAM, groups.firehose)
  const writer = store.writer({ stream: STREAM, codec: streamEventCodec, highWaterMark: events.length + 1 })
  for (let start = 0; start < events.length; start += 500) await writer.append(events.slice(start, start + 500))
  return events.length
}

async function waitForEntries(indexer: StreamIndexer, count: number): Promise<void> {
  while (indexer.status().entries < count) await sleep(2)
}

const write =
  (level: string) =>
  (fields: object, message: string): void =>
    console.error(level, message, fields)

/** Only what went wrong: it would explain a number. */
const stderrLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: write('warn'),
  error: write('error'),
  child: () => stderrLogger,
}
