import { readRecord } from '@millrace/repo-reader'
import {
  hostWithoutScheme,
  InvalidEventError,
  recordUri,
  SEQ_BACKFILL,
  type BackfillEvent,
  type CreateEvent,
  type DeleteEvent,
  type RecordJson,
  type RepoEvent,
} from '@millrace/stream-protocol'
import type { VerifiedRepo } from './verify-repo.ts'

export interface RepoToEventsOptions {
  /** Who served the repo, with or without scheme. */
  host: string
  /** When it was fetched, RFC 3339; the same for all its events. */
  time: string
  /** Names this fetch: no other has the same. */
  run: string
  /** What asked for it, if anything did: goes into the events as it is. */
  request?: Pick<BackfillEvent, 'repair' | 'mark' | 'reindex'>
  /** Told of each record that no event can carry, while the others go on. */
  onLeftOut?: (leftOut: LeftOutRecord) => void
}

/** A record that is in the repo, and in no event. */
export interface LeftOutRecord {
  uri: string
  cid: string
  error: InvalidEventError
}

/**
 * The events that bring a verified repo into a database: one `create` for each record in the order of the tree, all at
 * the revision of the whole, then one `repo` event that closes it and says how many there were. An empty repo is closed
 * too. In place of a record that no event can carry stands a `delete`, so that no older version of it stays. Events are made as they are asked for, so that a large repo does not stand in memory twice.
 */
export function* repoToEvents(
  repo: VerifiedRepo,
  { host: hostUrl, time, run, request: { repair, mark, reindex } = {}, onLeftOut }: RepoToEventsOptions,
): Generator<CreateEvent | DeleteEvent | RepoEvent, void> {
  const { did, commit, rev, data } = repo
  const host = hostWithoutScheme(hostUrl)
  const shared = { time, did, commit, rev, run, ...(repair !== undefined && { repair }), ...(reindex && { reindex }) }
  let records = 0
  let leftOut = 0
  for (const { collection, rkey, cid, bytes } of repo.records) {
    const place = { seq: SEQ_BACKFILL, ...shared, op: records + leftOut, collection, rkey, host }
    let record: RecordJson
    try {
      record = readRecord(bytes)
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      leftOut++
      onLeftOut?.({ uri: recordUri({ did, collection, rkey }), cid, error })
      yield { type: 'delete', ...place }
      continue
    }
    records++
    yield { type: 'create', ...place, cid, record }
  }
  yield {
    type: 'repo',
    seq: SEQ_BACKFILL,
    ...shared,
    data,
    records,
    ...(leftOut > 0 && { leftOut }),
    ...(mark !== undefined && { mark }),
    host,
  }
}
