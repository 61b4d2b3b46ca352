import { FieldReader, parseObject, type JsonObject } from './check.ts'
import { InvalidEventError } from './errors.ts'
import type { Codec } from './ports.ts'

/** The JSON form of a record: CIDs as `{"$link"}`, bytes as `{"$bytes"}`, blobs with `$type: "blob"`. */
export type RecordJson = { [key: string]: unknown }

/**
 * What only our own services write, beside the fields that every service knows. Readers that do not know these
 * properties pass over them; an entry without them is as valid as one with them.
 */
interface Provenance {
  /** The upstream the event came from, without scheme. Sequence numbers count per host. */
  host?: string
  /** How often `host` had lost its sequence numbers by then, as far as we know; absent means never. */
  epoch?: number
  /**
   * Accounts are taken by the collections of their records, and this says nothing of such: it is about those alone that
   * are known already.
   */
  ifKnown?: boolean
}

interface CommitFields extends Provenance {
  /** Sequence number at `host`; negative for events of a whole repo (`SEQ_BACKFILL`). */
  seq: number
  /** The frame's own time, or when the repo was fetched. RFC 3339, as received. */
  time: string
  did: string
  /** CID of the signed commit. */
  commit: string
  /** Revision of that commit (a TID). Every record of a whole repo carries the revision of the whole. */
  rev: string
  /** Position of this operation in its commit, from 0, and how many there are: the last one completes the revision. */
  op?: number
  ops?: number
  /** Revision that the commit says it follows, and the root of the tree before and after: see hazard I18. */
  since?: string
  prevData?: string
  data?: string
  /**
   * Which fetch of the whole repo an event belongs to, unique in time. Its records are numbered by `op`, so that
   * its end is known to be reached only when every one of them is applied (hazard B10).
   */
  run?: string
  /** On events of a run: the repair that asked for it, whose report counts what the run changes. */
  repair?: number
  /** On events of a run: derive the rows anew although revision and content are the same (hazard B20). */
  reindex?: boolean
}

interface RecordFields extends CommitFields {
  collection: string
  rkey: string
}

/** A record that was made, or that a whole repo holds. */
export interface CreateEvent extends RecordFields {
  type: 'create'
  /** CID of the record as the repo's tree has it, never recomputed (hazard J1). */
  cid: string
  record: RecordJson
}

/** A new version of a record, whole: nothing of the version before is left. */
export interface UpdateEvent extends RecordFields {
  type: 'update'
  cid: string
  record: RecordJson
}

/** The end of a record. It says nothing of what was in it. */
export interface DeleteEvent extends RecordFields {
  type: 'delete'
}

/** A repo has reached a revision: the end of a backfill, a commit without operations, or a `#sync`. */
export interface RepoEvent extends Omit<CommitFields, 'seq'> {
  type: 'repo'
  seq?: number
  /** Set when the repo only declared its state (`#sync`): its records have to be fetched unless `data` is known. */
  sync?: boolean
  /** How many `create` events came before, on the event that closes a backfill. */
  records?: number
  /** How many records of that repo no event can carry, each with a `delete` in its place. Absent means none. */
  leftOut?: number
  /** The dirty mark that the fetch was for, as it was then: it goes with the run, unless it was made again since. */
  mark?: string
}

/** What a host says of an account: whether it is to be seen there. Hosts may differ. */
export interface AccountEvent extends Provenance {
  type: 'account'
  seq: number
  time: string
  did: string
  active: boolean
  /** Why it is inactive. Any text: unknown ones are kept (hazard I22). */
  status?: string
}

/** Something about an account's DID document or handle may have changed: look it up anew. */
export interface IdentityEvent extends Provenance {
  type: 'identity'
  seq: number
  time: string
  did: string
  /** A hint, never stored (hazard I24). */
  handle?: string
}

/** What happened to one record. */
export type RecordEvent = CreateEvent | UpdateEvent | DeleteEvent

/** An entry of `firehose_live` and `firehose_backfill`. */
export type StreamEvent = RecordEvent | RepoEvent | AccountEvent | IdentityEvent

/** The AT-URI of the record that an operation is about. */
export function recordUri(event: { did: string; collection: string; rkey: string }): string {
  return `at://${event.did}/${event.collection}/${event.rkey}`
}

/** Field `event`, holding the event as JSON. */
export const streamEventCodec: Codec<StreamEvent> = {
  field: 'event',
  encode: (event) => JSON.stringify(event),
  decode: (text) => readStreamEvent(parseObject(text)),
}

/** The same field, for events that are text already, as {@link streamEventCodec} writes them. */
export const streamEventTextCodec: Codec<string> = {
  field: streamEventCodec.field,
  encode: (text) => text,
  decode: (text) => text,
}

/**
 * Checks an event field by field and gives it back as it is: unknown properties stay.
 * @throws {InvalidEventError} naming the first field that does not hold.
 */
export function readStreamEvent(object: JsonObject): StreamEvent {
  const fields = new FieldReader(object)
  const type = object['type']
  fields.did()
  fields.text('time')
  fields.optionalText('host')
  fields.optionalInteger('epoch')
  fields.optionalBoolean('ifKnown')
  switch (type) {
    case 'create':
    case 'update':
      checkCommit(fields)
      fields.integer('seq')
      fields.nsid('collection')
      fields.rkey('rkey')
      fields.cid('cid')
      fields.object('record')
      break
    case 'delete':
      checkCommit(fields)
      fields.integer('seq')
      fields.nsid('collection')
      fields.rkey('rkey')
      break
    case 'repo':
      checkCommit(fields)
      fields.optionalInteger('seq')
      fields.optionalBoolean('sync')
      fields.optionalInteger('records')
      fields.optionalInteger('leftOut')
      fields.optionalText('mark')
      break
    case 'account':
      fields.integer('seq')
      fields.boolean('active')
      fields.optionalText('status')
      break
    case 'identity':
      fields.integer('seq')
      fields.optionalText('handle')
      break
    default:
      throw new InvalidEventError('unknown-type', `unknown event type ${JSON.stringify(type)?.slice(0, 40)}`, {
        did: fields.did(),
      })
  }
  return object as unknown as StreamEvent
}

function checkCommit(fields: FieldReader): void {
  fields.cid('commit')
  fields.tid('rev')
  fields.optionalInteger('op')
  fields.optionalInteger('ops')
  fields.optionalText('since')
  fields.optionalText('prevData')
  fields.optionalText('data')
  fields.optionalText('run')
  fields.optionalInteger('repair')
  fields.optionalBoolean('reindex')
}
