import { openRedisStreams } from '@millrace/redis-streams'
import { sleep, streams } from '@millrace/stream-protocol'
import { fillStream } from '../fill-stream.ts'
import { goals } from '../goals.ts'
import { atMost, figure, type Result } from '@millrace/testing/results'
import { stderrLogger } from '../stderr-logger.ts'
import { snapshotOf, wholeRepos } from '../workload/whole-repos.ts'
import { withLargeRecords } from '../workload/with-large-records.ts'
import { generateWorkload } from '../workload/workload.ts'
import type { PartOptions } from './measure-live.ts'
import { startIndexer } from './start-indexer.ts'

/** The most memory that the indexer app takes while it works off a long backlog in both of its streams. */
export async function measureMemory({ servers, sizes, onProgress }: PartOptions): Promise<Result[]> {
  await servers.emptyRedis()
  const postgresUrl = await servers.createDatabase('memory')
  await using store = await openRedisStreams({ url: servers.redisUrl, logger: stderrLogger })
  const { live, backfill } = sizes.backlog
  await fillStream(store, streams.firehoseLive, withLargeRecords(generateWorkload({ events: live })))
  const repos = snapshotOf(generateWorkload({ events: backfill, seed: 8 }))
  await fillStream(store, streams.firehoseBackfill, wholeRepos(repos))
  const length = async (): Promise<number> =>
    (await store.status([streams.firehoseLive, streams.firehoseBackfill])).reduce((sum, { length }) => sum + length, 0)
  const backlog = await length()
  onProgress(`memory: a backlog of ${backlog.toLocaleString('en')} entries`)

  await using indexer = await startIndexer({ redisUrl: servers.redisUrl, postgresUrl })
  for (let rest = backlog, said = Date.now(); rest > 0; rest = await length()) {
    indexer.assertRunning()
    await sleep(200)
    if (Date.now() - said < 5000) continue
    said = Date.now()
    onProgress(`  ${rest.toLocaleString('en')} entries left, ${Math.round(await indexer.peakMegabytes())} MB`)
  }
  const peak = await indexer.peakMegabytes()
  const [lost] = await servers.query<{ letters: number }>(
    'select count(*)::int as letters from bsky.millrace_dead_letter',
    postgresUrl,
  )
  return [
    figure('memory: entries in the backlog', backlog, 'entries'),
    figure('memory: dead letters', lost?.letters ?? Number.NaN, 'entries'),
    atMost(goals.residentMegabytes, 'memory: peak of the indexer', peak, 'MB'),
  ]
}
