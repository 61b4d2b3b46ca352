import { createHash } from 'node:crypto'
import {
  SEQ_BACKFILL,
  type CreateEvent,
  type DeleteEvent,
  type RecordEvent,
  type RecordJson,
  type RepoEvent,
  type UpdateEvent,
} from '@millrace/stream-protocol'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

/** When the events below were seen, unless they say otherwise. `describePlugin` sets its clock a moment later. */
export const EVENT_TIME = '2026-01-15T12:00:00.000Z'

const DAG_CBOR = 0x71
const SHA_256 = 0x12

/** A CID for any JSON value: the same for equal text. It is not the one that a repo would have for it. */
export function cidOf(value: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(value)).digest()
  return CID.createV1(DAG_CBOR, Digest.create(SHA_256, hash)).toString()
}

const TID_ALPHABET = '234567abcdefghijklmnopqrstuvwxyz'

/** The TID of a moment, in microseconds since 1970. */
export function tidOf(micros: bigint): string {
  let rest = micros << 10n
  let tid = ''
  for (let i = 0; i < 13; i++) {
    tid = TID_ALPHABET[Number(rest & 31n)]! + tid
    rest >>= 5n
  }
  return tid
}

let made = 0

/** Revisions that rise from call to call. */
export function nextRev(): string {
  return tidOf(BigInt(Date.parse(EVENT_TIME)) * 1000n + BigInt(made++))
}

export interface CreateEventOptions {
  did: string
  record: RecordJson
  /** @default the record's `$type` */
  collection?: string
  /** @default the revision */
  rkey?: string
  /** @default higher than that of every event made before */
  rev?: string
  /** @default `cidOf(record)` */
  cid?: string
  /** @default EVENT_TIME */
  time?: string
  /** @default 1 */
  seq?: number
  host?: string
}

/** A record that comes. */
export function createEvent({
  did,
  record,
  collection = record['$type'] as string,
  rev = nextRev(),
  rkey = rev,
  cid = cidOf(record),
  time = EVENT_TIME,
  seq = 1,
  host,
}: CreateEventOptions): CreateEvent {
  const commit = cidOf({ did, rev })
  return { type: 'create', seq, time, did, commit, rev, collection, rkey, cid, record, ...(host && { host }) }
}

type Revision = Partial<Pick<CreateEventOptions, 'rev' | 'time' | 'cid' | 'seq' | 'host'>>

/** Another version of the same record, at a later revision. */
export function updateEvent(of: RecordEvent, record: RecordJson, revision: Revision = {}): UpdateEvent {
  const { did, collection, rkey } = of
  return { ...createEvent({ did, collection, rkey, record, ...revision }), type: 'update' }
}

/** The end of the same record, at a later revision. */
export function deleteEvent(
  { did, collection, rkey }: Pick<RecordEvent, 'did' | 'collection' | 'rkey'>,
  { rev = nextRev(), time = EVENT_TIME, seq = 1 }: Omit<Revision, 'cid' | 'host'> = {},
): DeleteEvent {
  return { type: 'delete', seq, time, did, commit: cidOf({ did, rev }), rev, collection, rkey }
}

/** These records as they come out of a whole repo at `rev`: every one of them has the revision of the repo. */
export function snapshotEvents(events: readonly (CreateEvent | UpdateEvent)[], rev = nextRev()): CreateEvent[] {
  return events.map((event) => ({
    ...event,
    type: 'create',
    seq: SEQ_BACKFILL,
    rev,
    commit: cidOf({ did: event.did, rev }),
  }))
}

export interface RepoRunOptions {
  did: string
  /** The records that the repo holds. */
  records: readonly (CreateEvent | UpdateEvent)[]
  /** @default higher than that of every event made before */
  rev?: string
  /** Root of its tree. @default one for the account and the revision */
  data?: string
  /** @default one for the account, the revision and the call */
  run?: string
  /** Derive everything anew. */
  reindex?: boolean
}

let runs = 0

/** One fetch of a whole repo as a backfiller writes it: numbered records, and the event that closes it. */
export function runEvents({
  did,
  records,
  rev = nextRev(),
  data = cidOf({ tree: did, rev }),
  run = `run ${runs++}`,
  reindex,
}: RepoRunOptions): [...CreateEvent[], RepoEvent] {
  const shared = { run, ...(reindex && { reindex }) }
  const commit = cidOf({ did, rev })
  return [
    ...snapshotEvents(records, rev).map((event, op) => ({ ...event, op, ...shared })),
    { type: 'repo', seq: SEQ_BACKFILL, time: EVENT_TIME, did, commit, rev, data, records: records.length, ...shared },
  ]
}
