import { exactly, atMost, figure, type Result } from '@millrace/testing/results'
import type { Benchmark, BenchmarkOptions } from '../benchmark.ts'
import { goals } from '../goals.ts'
import { Servers } from '../servers.ts'
import { RepairRig } from './repair-rig.ts'

const RECORDS = 8
/** Of the repos, what is lost on the way to us. */
const LOST_SHARE = 0.03

/** What it costs to find out that nothing is missing, and to get what is. */
export const repairBenchmark: Benchmark = {
  name: 'repair',
  summary:
    'what a repair fetches when nothing is missing, and when 3 % of the repos are; in shares of a first backfill',
  events: 1_200 * RECORDS,
  parts: [],
  run: measureRepair,
}

async function* measureRepair({ events, onProgress }: BenchmarkOptions): AsyncGenerator<Result[]> {
  await using servers = await Servers.start({ onProgress })
  const accounts = Math.max(100, Math.round(events / RECORDS))
  onProgress(`repair: making ${accounts.toLocaleString('en')} repos`)
  await using rig = await RepairRig.open({
    databaseUrl: await servers.createDatabase('repair'),
    accounts,
    recordsPerAccount: RECORDS,
  })
  onProgress('repair: the first backfill')
  const first = await rig.repair()
  onProgress('repair: once more, as nothing has changed')
  const again = await rig.repair()
  const lost = await rig.lose(LOST_SHARE)
  onProgress(`repair: ${lost} repos have moved, and nobody said so`)
  const missing = await rig.repair()
  const { anomalies, records } = await rig.compare()
  yield [
    figure('repair: repos', accounts, 'repos'),
    figure('repair: records', records, 'records'),
    figure('repair: first backfill', first.bytes, 'bytes'),
    figure('repair: first backfill took', first.ms, 'ms'),
    figure('repair: nothing changed', again.bytes, 'bytes'),
    figure('repair: nothing changed took', again.ms, 'ms'),
    figure('repair: bytes when nothing changed, to the first', again.bytes / first.bytes, 'times'),
    atMost(goals.repair.unchanged, 'repair: time when nothing changed, to the first', again.ms / first.ms, 'times'),
    atMost(
      goals.repair.unchanged,
      'repair: repos when nothing changed, to the first',
      again.repos / first.repos,
      'times',
    ),
    figure('repair: repos that lost something', lost, 'repos'),
    figure('repair: 3 % lost', missing.bytes, 'bytes'),
    figure('repair: 3 % lost took', missing.ms, 'ms'),
    // A list is as long as ever, and the repos here are small.
    figure('repair: bytes when 3 % were lost, to the first', missing.bytes / first.bytes, 'times'),
    figure('repair: time when 3 % were lost, to the first', missing.ms / first.ms, 'times'),
    atMost(goals.repair.lost, 'repair: repos when 3 % were lost, to the first', missing.repos / first.repos, 'times'),
    exactly(0, 'repair: records that are not those of the repos', anomalies, 'records'),
  ]
}
