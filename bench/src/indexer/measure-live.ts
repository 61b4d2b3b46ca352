import { streams } from '@millrace/stream-protocol'
import { goals } from '../goals.ts'
import { atLeast, atMost, figure, type Result } from '@millrace/testing/results'
import { compareWithReference } from '../rows/compare-with-reference.ts'
import { runRounds } from '../run-rounds.ts'
import type { Servers } from '../servers.ts'
import type { Sizes } from '../sizes.ts'
import { systemNames, type Measurement } from '../systems/measurement.ts'
import { generateWorkload } from '../workload/workload.ts'
import { perSecond, speedResults, titles } from './speed-results.ts'

export interface PartOptions {
  servers: Servers
  sizes: Sizes
  rounds: number
  onProgress: (text: string) => void
}

/** How our speed compares. */
export interface Ratios {
  toReference: number
  toBare: number
}

/** The live mix: whether the rows are right, how fast they come, and what they cost. */
export async function measureLive(options: PartOptions): Promise<{ results: Result[]; ratios: Ratios }> {
  const { servers, sizes, rounds: count, onProgress } = options
  const stream = streams.firehoseLive
  const compared = generateWorkload({ events: sizes.compared })
  const rows = await compareWithReference({
    name: 'live',
    servers,
    stream,
    ours: compared,
    reference: compared,
    onProgress,
  })

  onProgress(`live: ${sizes.live.toLocaleString('en')} events, ${count} rounds`)
  const eventsFile = await servers.writeEvents('live', generateWorkload({ events: sizes.live }))
  const rounds = await runRounds({ servers, systems: systemNames, rounds: count, eventsFile, stream, onProgress })
  const ratios: Ratios = {
    toReference: rounds.ratio('ours', 'reference', perSecond),
    toBare: rounds.ratio('ours', 'bare', perSecond),
  }
  return {
    ratios,
    results: [
      ...rows,
      ...speedResults('live', systemNames, rounds),
      atLeast(goals.live.toReference, 'live: ours to reference', ratios.toReference, 'times'),
      atLeast(goals.live.toBare, 'live: ours to bare statements', ratios.toBare, 'times'),
      atMost(
        goals.roundTripsPerRecord,
        'live: round trips to Postgres, counted at the sockets',
        rounds.median('ours', ({ roundTrips, records }) => (roundTrips ?? Number.NaN) / records),
        'per record',
      ),
      ...systemNames.map((system) =>
        figure(`live: WAL, ${titles[system]}`, rounds.median(system, walPerRecord), 'bytes/record'),
      ),
      atMost(
        goals.walToReference,
        'live: WAL, ours to reference',
        rounds.ratio('ours', 'reference', walPerRecord),
        'times',
      ),
    ],
  }
}

function walPerRecord({ walBytes, records }: Measurement): number {
  return walBytes / records
}
