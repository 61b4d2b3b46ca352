import { streams } from '@millrace/stream-protocol'
import { goals } from '../goals.ts'
import { atLeast, figure, type Result } from '@millrace/testing/results'
import { runRounds } from '../run-rounds.ts'
import { Servers } from '../servers.ts'
import { systemNames } from '../systems/measurement.ts'
import { generateWorkload } from '../workload/workload.ts'
import type { PartOptions, Ratios } from './measure-live.ts'
import { prefill } from './prefill.ts'
import { perSecond, speedResults } from './speed-results.ts'

const SHARED_BUFFERS_MB = 16
const TEMPLATE = 'prefilled'

/** The live mix again, on a Postgres whose memory does not hold the indexes that it writes to. */
export async function measureBuffers(options: Omit<PartOptions, 'servers'>, ordinary: Ratios): Promise<Result[]> {
  const { sizes, rounds: count, onProgress } = options
  await using servers = await Servers.start({ settings: { shared_buffers: `${SHARED_BUFFERS_MB}MB` }, onProgress })
  onProgress(`buffers: filling a database with ${sizes.prefilled.toLocaleString('en')} likes`)
  const url = await servers.createDatabase(TEMPLATE)
  await prefill(url, sizes.prefilled)
  const [megabytes] = await servers.query<{ record: number; like: number }>(
    `select pg_relation_size('bsky.record_pkey') / 1048576.0::float8 as record,
            pg_relation_size('bsky.like_pkey') / 1048576.0::float8 as like`,
    url,
  )

  onProgress(`buffers: ${sizes.buffers.toLocaleString('en')} events, ${count} rounds`)
  const eventsFile = await servers.writeEvents('buffers', generateWorkload({ events: sizes.buffers }))
  const stream = streams.firehoseLive
  const run = { servers, systems: systemNames, rounds: count, eventsFile, stream, template: TEMPLATE, onProgress }
  const rounds = await runRounds(run)
  const toReference = rounds.ratio('ours', 'reference', perSecond)
  const toBare = rounds.ratio('ours', 'bare', perSecond)
  return [
    figure('buffers: shared_buffers', SHARED_BUFFERS_MB, 'MB'),
    atLeast(SHARED_BUFFERS_MB, 'buffers: index of record by URI', megabytes?.record ?? Number.NaN, 'MB'),
    atLeast(SHARED_BUFFERS_MB, 'buffers: index of like by URI', megabytes?.like ?? Number.NaN, 'MB'),
    ...speedResults('buffers', systemNames, rounds),
    figure('buffers: ours to reference', toReference, 'times'),
    figure('buffers: ours to bare statements', toBare, 'times'),
    atLeast(
      goals.shareWithSmallBuffers,
      'buffers: ours to reference, of the same with ordinary buffers',
      toReference / ordinary.toReference,
      'times',
    ),
    atLeast(
      goals.shareWithSmallBuffers,
      'buffers: ours to bare statements, of the same with ordinary buffers',
      toBare / ordinary.toBare,
      'times',
    ),
  ]
}
