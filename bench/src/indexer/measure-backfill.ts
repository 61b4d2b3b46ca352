import { streams } from '@millrace/stream-protocol'
import { goals } from '../goals.ts'
import { atLeast, figure, type Result } from '@millrace/testing/results'
import { compareWithReference } from '../rows/compare-with-reference.ts'
import { runRounds } from '../run-rounds.ts'
import type { SystemName } from '../systems/measurement.ts'
import { snapshotOf, wholeRepos } from '../workload/whole-repos.ts'
import { generateWorkload } from '../workload/workload.ts'
import type { PartOptions } from './measure-live.ts'
import { perSecond, speedResults } from './speed-results.ts'

const systems: readonly SystemName[] = ['ours', 'reference']
/** Of the events that the repos are made of, so that one has a hundred or so, and a few have thousands. */
const EVENTS_PER_REPO = 100

/** Whole repos, as the backfiller appends them: whether the rows are right, and how fast they come. */
export async function measureBackfill(options: PartOptions): Promise<Result[]> {
  const { servers, sizes, rounds: count, onProgress } = options
  const stream = streams.firehoseBackfill
  const snapshot = snapshotFor(Math.min(sizes.compared, sizes.backfill))
  const rows = await compareWithReference({
    name: 'backfill',
    servers,
    stream,
    ours: wholeRepos(snapshot),
    reference: snapshot,
    onProgress,
  })

  const events = wholeRepos(snapshotFor(sizes.backfill))
  const repos = events.filter(({ type }) => type === 'repo').length
  onProgress(`backfill: ${repos} repos of ${events.length - repos} records, ${count} rounds`)
  const eventsFile = await servers.writeEvents('backfill', events)
  const rounds = await runRounds({ servers, systems, rounds: count, eventsFile, stream, onProgress })
  return [
    ...rows,
    figure('backfill: repos', repos, 'repos'),
    ...speedResults('backfill', systems, rounds),
    atLeast(
      goals.backfill.toReference,
      'backfill: ours to reference',
      rounds.ratio('ours', 'reference', perSecond),
      'times',
    ),
  ]
}

function snapshotFor(events: number) {
  return snapshotOf(generateWorkload({ events, actors: Math.max(10, Math.ceil(events / EVENTS_PER_REPO)) }))
}
