import { isGuarded } from '@millrace/failpoints'
import { isMap, readRecord, tidMs, type CborMap } from '@millrace/repo-reader'
import {
  InvalidEventError,
  isDid,
  isTid,
  recordUri,
  type CollectionFilter,
  type DirtyMark,
  type RecordEvent,
  type RecordJson,
  type StreamEvent,
} from '@millrace/stream-protocol'
import { ignored, originOf, type CommitProof, type Conversion, type Origin, type Rejected } from './conversion.ts'
import {
  checkOps,
  failField,
  MAX_SYNC_BYTES,
  openCommit,
  readBytes,
  readCommitFields,
  readDid,
  readRev,
  readText,
  signedBytes,
  type CommitFields,
  type CommitOp,
  type OpenedCommit,
} from './commit.ts'
import type { Frame } from './frame.ts'

/** What is checked before an event is made: see {@link frameToEvents}. */
export type Verify = 'integrity' | 'signatures' | 'off'

export interface ConvertOptions extends Origin {
  /** @default 'integrity' */
  verify?: Verify
  /** Of other collections no event is made. @default all */
  collections?: CollectionFilter | undefined
  /** Of other accounts nothing is used, and nothing is looked at. @default all */
  dids?: ReadonlySet<string> | undefined
  /**
   * Accounts are taken by their records of `collections`: what is about no such record counts only for those that are
   * known already. @default false
   */
  byCollection?: boolean | undefined
  /** Epoch milliseconds. When given, a commit of more than 5 minutes later is not used (hazard I18). */
  now?: number
}

const MAX_AHEAD_MS = 5 * 60_000
/** Not wrong, but not enough to follow the repo with (hazard I19). */
const discontinuous: ReadonlySet<string> = new Set(['too-big', 'rebase', 'missing-blocks', 'future-rev'])

/**
 * Turns a frame of `subscribeRepos` into events: one for each operation of a commit, in order; one `repo` event for a
 * commit without any and for a `#sync`; one for an `#account` or `#identity`; none for the rest.
 *
 * With `verify: 'integrity'` a commit is used only if its frame proves it, its signature apart: every block has the hash
 * it stands under, the signed commit agrees with the frame, every operation with the signed tree, and all of them lead
 * there from `prevData` where the frame has it (hazards G8, I18). With `signatures` the same is checked, and the result
 * says what its signature has to be compared with. With `off` only the limits are checked.
 *
 * A pure function of its arguments, and total: what cannot be used is told in the result, with what has to be marked
 * (hazard G4). A record that JSON cannot carry is rejected alone, with a deletion in its place; the others of its commit
 * stay.
 */
export function frameToEvents(frame: Frame, options: ConvertOptions): Conversion<StreamEvent> {
  switch (frame.type) {
    case 'commit':
      return guarded(frame.body, 'repo', options, () => commitToEvents(frame.seq, frame.body, options))
    case 'sync':
      return guarded(frame.body, 'did', options, () => syncToEvents(frame.seq, frame.body, options))
    case 'account':
      return guarded(frame.body, 'did', options, () => appended([accountToEvent(frame.seq, frame.body, options)]))
    case 'identity':
      return guarded(frame.body, 'did', options, () => appended([identityToEvent(frame.seq, frame.body, options)]))
    case 'info':
    case 'labels':
    case 'error':
    case 'unknown':
    default:
      return ignored(frame.type === 'info' ? 'info' : 'unknown-type')
  }
}

/** Makes a result of what is wrong with a frame, with the mark that keeps it from being lost. */
function guarded(
  body: CborMap,
  field: 'repo' | 'did',
  options: ConvertOptions,
  convert: () => Conversion<StreamEvent>,
): Conversion<StreamEvent> {
  const { host, dids } = options
  const about = body[field]
  if (dids && isDid(about) && !dids.has(about)) return ignored('other-account')
  try {
    return convert()
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error
    const { reason, message } = error
    const { [field]: did, rev } = body
    const outcome = discontinuous.has(reason) ? 'discontinuous' : 'invalid'
    const result: Conversion<StreamEvent> = { events: [], outcome, reason, error: message, rejected: [], dirty: [] }
    if (!isDid(did)) return { ...result, gap: true }
    if (!isGuarded('dirty-mark')) return result
    const scope = saysToTouch(body, options) ? {} : scopeOf(options)
    return { ...result, dirty: [{ did, reason, host, ...(isTid(rev) && { rev }), ...scope }] }
  }
}

/** Whether what cannot be used says of itself that it is about a record that is taken. */
function saysToTouch({ ops }: CborMap, { collections }: ConvertOptions): boolean {
  if (!Array.isArray(ops)) return false
  return ops.some((op) => {
    const path = isMap(op) ? op['path'] : undefined
    return typeof path === 'string' && collections?.has(path.split('/', 1)[0]!) !== false
  })
}

/** Whom something counts for that is about no record that is taken. */
function scopeOf({ byCollection }: ConvertOptions): { ifKnown?: true } {
  return byCollection ? { ifKnown: true } : {}
}

function appended(
  events: StreamEvent[],
  {
    rejected = [],
    dirty = [],
    proof,
  }: { rejected?: Rejected[]; dirty?: DirtyMark[]; proof?: CommitProof | undefined } = {},
): Conversion<StreamEvent> {
  const [event] = events
  const about = event && { time: event.time, did: event.did }
  return { events, outcome: 'appended', rejected, dirty, ...about, ...(proof && { proof }) }
}

function commitToEvents(seq: number, body: CborMap, options: ConvertOptions): Conversion<StreamEvent> {
  const fields = readCommitFields(body)
  const { did, rev, time, since, prevData } = fields
  const { verify = 'integrity' } = options
  if (body['tooBig'] === true) throw new InvalidEventError('too-big', 'the commit was too big to be sent')
  if (body['rebase'] === true) throw new InvalidEventError('rebase', 'the commit is a rebase')
  if (fields.blocks.length === 0) throw new InvalidEventError('missing-blocks', 'the commit was sent without blocks')
  refuseFuture(rev, options)
  const signed = openCommit(fields.blocks, fields, verify !== 'off')
  if (verify !== 'off' && isGuarded('commit-proof')) checkOps(fields, signed)

  const shared = {
    time,
    did,
    commit: fields.commit.toString(),
    rev,
    ...(since !== null && { since }),
    ...(prevData && { prevData: prevData.toString() }),
    data: signed.data.toString(),
    ...originOf(options),
  }
  const { made, rejected } = opsToEvents(fields, signed, options)
  const events: StreamEvent[] = made.map((op, index) => ({ ...op, seq, ...shared, op: index, ops: made.length }))
  // The revision counts even if nothing of it is left, or the next commit would seem to follow one that we lack (I16).
  if (events.length === 0) events.push({ type: 'repo', seq, ...shared, ...scopeOf(options) })
  return appended(events, { rejected, dirty: newcomer(fields, made, options), proof: proofOf(rev, signed, options) })
}

/**
 * A first commit has all of its repo. But where accounts are taken by collection, what came after it and was about no
 * record may have been passed over before it was known: such a repo is fetched all the same.
 */
function newcomer(
  { did, rev, since, prevData }: CommitFields,
  made: readonly MadeOp[],
  { host, byCollection }: ConvertOptions,
): DirtyMark[] {
  if (!byCollection || made.length === 0 || since !== null || prevData) return []
  return [{ did, reason: 'unknown-repo', host, rev }]
}

function proofOf(rev: string, signed: OpenedCommit, { verify }: ConvertOptions): CommitProof | undefined {
  return verify === 'signatures' ? { rev, bytes: signedBytes(signed), sig: signed.sig } : undefined
}

type MadeOp = Pick<RecordEvent, 'type' | 'collection' | 'rkey'> &
  ({ type: 'delete' } | { type: 'create' | 'update'; cid: string; record: RecordJson })

function opsToEvents(
  { did, ops }: CommitFields,
  { blocks }: OpenedCommit,
  { collections }: ConvertOptions,
): { made: MadeOp[]; rejected: Rejected[] } {
  const made: MadeOp[] = []
  const rejected: Rejected[] = []
  for (const op of ops) {
    const { action, collection, rkey, cid } = op
    if (collections?.has(collection) === false) continue
    if (action === 'delete' || !cid) {
      made.push({ type: 'delete', collection, rkey })
      continue
    }
    const block = blocks.get(cid.key)
    if (!block) throw new InvalidEventError('missing-blocks', `the record of ${op.path} was not sent`)
    try {
      made.push({ type: action, collection, rkey, cid: cid.toString(), record: readRecord(block) })
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      rejected.push(rejectedOp(did, op, block, error))
      // What is no record replaces what was one: nothing of it is left, whatever comes late (X9).
      made.push({ type: 'delete', collection, rkey })
    }
  }
  return { made, rejected }
}

function rejectedOp(did: string, op: CommitOp, block: Buffer, error: InvalidEventError): Rejected {
  return {
    reason: error.reason,
    error: error.message,
    did,
    uri: recordUri({ did, collection: op.collection, rkey: op.rkey }),
    payload: block.subarray(0, 48 * 1024).toString('base64'),
  }
}

function syncToEvents(seq: number, body: CborMap, options: ConvertOptions): Conversion<StreamEvent> {
  const did = readDid(body['did'])
  const rev = readRev(body)
  const time = readText(body, 'time')
  const blocks = readBytes(body, 'blocks')
  if (blocks.length > MAX_SYNC_BYTES)
    throw new InvalidEventError('too-large', `blocks of a sync have ${blocks.length} bytes`)
  refuseFuture(rev, options)
  const signed = openCommit(blocks, { did, rev }, options.verify !== 'off')
  const event: StreamEvent = {
    type: 'repo',
    sync: true,
    seq,
    time,
    did,
    commit: signed.commit.toString(),
    rev,
    data: signed.data.toString(),
    ...originOf(options),
    ...scopeOf(options),
  }
  return appended([event], { proof: proofOf(rev, signed, options) })
}

function accountToEvent(seq: number, body: CborMap, options: ConvertOptions): StreamEvent {
  const did = readDid(body['did'])
  const { active, status } = body
  if (typeof active !== 'boolean') return failField('active', 'true or false')
  // Visibility follows `active`; a status that is no text tells nothing (I22).
  const known = typeof status === 'string' && { status }
  return {
    type: 'account',
    seq,
    time: readText(body, 'time'),
    did,
    active,
    ...known,
    ...originOf(options),
    ...scopeOf(options),
  }
}

function identityToEvent(seq: number, body: CborMap, options: ConvertOptions): StreamEvent {
  const did = readDid(body['did'])
  const { handle } = body
  const hint = typeof handle === 'string' && { handle }
  return {
    type: 'identity',
    seq,
    time: readText(body, 'time'),
    did,
    ...hint,
    ...originOf(options),
    ...scopeOf(options),
  }
}

function refuseFuture(rev: string, { now }: ConvertOptions): void {
  if (now !== undefined && tidMs(rev) > now + MAX_AHEAD_MS)
    throw new InvalidEventError('future-rev', `revision ${rev} is of the future`)
}
