import { openRedisStreams } from '@millrace/redis-streams'
import { recordUri, sleep, streamEventCodec, streams } from '@millrace/stream-protocol'
import { goals } from '../goals.ts'
import { atMost, exactly, figure, percentile, type Result } from '@millrace/testing/results'
import { stderrLogger } from '../stderr-logger.ts'
import { newRecords } from '../workload/new-records.ts'
import { appendSteadily } from './append-steadily.ts'
import type { PartOptions } from './measure-live.ts'
import { RowProbe } from './row-probe.ts'
import { startIndexer } from './start-indexer.ts'

/** What is not visible by then is taken for lost. */
const PATIENCE_MS = 30_000
/** A process that has just started is measured apart. */
const WARM_UP_SECONDS = 5

/** From the append of a record to the moment when another connection sees its row, through the indexer app. */
export async function measureLatency({ servers, sizes, onProgress }: PartOptions): Promise<Result[]> {
  const { perSecond, seconds } = sizes.latency
  await servers.emptyRedis()
  const postgresUrl = await servers.createDatabase('latency')
  await using store = await openRedisStreams({ url: servers.redisUrl, logger: stderrLogger })
  const writer = store.writer({ stream: streams.firehoseLive, codec: streamEventCodec })
  await using indexer = await startIndexer({ redisUrl: servers.redisUrl, postgresUrl })
  await using probe = await RowProbe.open(postgresUrl)

  const stop = new AbortController()
  const probing = probe.run(stop.signal)
  onProgress(`latency: ${perSecond} records a second, for ${seconds} s after ${WARM_UP_SECONDS} s`)
  // As young as live ones are, so that they notify.
  const all = newRecords(perSecond * (WARM_UP_SECONDS + seconds), { startsAt: Date.now() - 60_000 })
  const append = async (records: typeof all): Promise<void> => {
    await appendSteadily(records, perSecond, async (due) => {
      probe.expect(due.map(recordUri))
      await writer.append(due)
    })
    const deadline = performance.now() + PATIENCE_MS
    while (probe.waiting > 0 && performance.now() < deadline) {
      indexer.assertRunning()
      await sleep(10)
    }
  }
  // Into tables without a row, by code that has never run.
  await append(all.slice(0, perSecond * WARM_UP_SECONDS))
  const first = percentile(probe.latencies, 100)
  probe.latencies.length = 0
  const records = all.slice(perSecond * WARM_UP_SECONDS)
  await append(records)
  stop.abort()
  await probing
  const { latencies, waiting } = probe
  return [
    figure('latency: all are visible within, of the first after a start', first, 'ms'),
    figure('latency: rate', perSecond, 'records/s'),
    figure('latency: records', records.length, 'records'),
    exactly(0, 'latency: records that were never seen', waiting, 'records'),
    figure('latency: half are visible within', percentile(latencies, 50), 'ms'),
    atMost(goals.visibleMs, 'latency: 99 % are visible within', percentile(latencies, 99), 'ms'),
    figure('latency: all are visible within', percentile(latencies, 100), 'ms'),
  ]
}
