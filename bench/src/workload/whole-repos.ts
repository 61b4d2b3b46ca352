import { compareText } from '@millrace/indexing'
import { recordUri, SEQ_BACKFILL, type CreateEvent, type RecordEvent, type RepoEvent } from '@millrace/stream-protocol'
import { cidOf } from './workload.ts'

const HOST = 'pds.example'

/**
 * What is left of these events when the repos are fetched after the last of them: creates in the order in which the
 * records came to be, each at the newest revision of its repo.
 */
export function snapshotOf(events: readonly RecordEvent[]): CreateEvent[] {
  const heads = new Map<string, { rev: string; commit: string; time: string }>()
  const records = new Map<string, CreateEvent>()
  const end = Math.max(...events.map((event) => Date.parse(event.time)))
  for (const event of events) {
    const { did, rev, commit } = event
    // One repo is fetched after the other.
    const time = heads.get(did)?.time ?? new Date(end + 1 + heads.size).toISOString()
    heads.set(did, { rev, commit, time })
    const uri = recordUri(event)
    records.delete(uri)
    if (event.type !== 'delete') records.set(uri, { ...event, type: 'create' })
  }
  return [...records.values()].map((event) => ({ ...event, ...heads.get(event.did)!, seq: SEQ_BACKFILL, host: HOST }))
}

/**
 * The events of whole repos as a backfiller appends them: repo after repo, each in the order of its tree, and closed by
 * a `repo` event. Which repo comes first has nothing to do with who refers to whom.
 */
export function wholeRepos(snapshot: readonly CreateEvent[]): (CreateEvent | RepoEvent)[] {
  const repos = Map.groupBy(snapshot, (event) => event.did)
  return [...repos]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, records]) => [...records.toSorted(inTreeOrder), closing(records)])
}

function inTreeOrder(a: CreateEvent, b: CreateEvent): number {
  return compareText(`${a.collection}/${a.rkey}`, `${b.collection}/${b.rkey}`)
}

function closing(records: readonly CreateEvent[]): RepoEvent {
  const { time, did, commit, rev, host = HOST } = records[0]!
  const data = cidOf({ rev, root: did })
  return { type: 'repo', seq: SEQ_BACKFILL, time, did, commit, rev, data, records: records.length, host }
}
