import { InvalidRecordError, requireType } from './record-type.ts'
import type { PluginMap, RecordContext, RecordPlugin } from './plugin.ts'
import type { Outcome, RecordOp, RemoveOp } from './record-op.ts'
import type { TableShapes } from './table-shape.ts'
import { typedRow } from './typed-row.ts'
import { indexedTime } from './values.ts'
import { storableText } from '@millrace/database'
import {
  isBackfillSeq,
  isRecordJson,
  recordUri,
  type AccountEvent,
  type IdentityEvent,
  type RecordEvent,
  type RepoEvent,
  type StreamEvent,
} from '@millrace/stream-protocol'

/** A revision that a repo has reached. */
export interface RepoRev {
  did: string
  rev: string
  commit: string
}

/** The newest that a batch says about each record, repo and account (hazard X1). */
export interface ReducedBatch {
  /** One for each record, by URI in byte order. */
  ops: RecordOp[]
  /** Index of the event that each op came from. */
  eventOf: Map<RecordOp, number>
  /** Newest revision of each repo by entries that do not say how their commit hangs together with others, by DID. */
  revs: Map<string, RepoRev & { event: number }>
  accounts: AccountEvent[]
  identities: IdentityEvent[]
  /** When each account was first heard of in this batch, by DID. */
  seen: Map<string, string>
  /** Events that are decided already, by index. */
  decided: Map<number, Outcome>
  /** Why events are invalid, by index. */
  invalid: Map<number, string>
}

export interface ReduceOptions {
  plugins: PluginMap
  shapes: TableShapes
  /** What becomes of collections without a plugin: kept in `record`, or counted and left (hazard X10). */
  otherCollections: 'record' | 'skip'
  /** Our clock: RFC 3339, UTC with milliseconds. */
  now: string
  /** Whether records of a collection are only kept in `record` for now. @default none */
  isPaused?: ((collection: string) => boolean) | undefined
  /** Take every record for invalid: the database has refused it. @default false */
  refused?: boolean
}

/** Brings the events of a batch, in stream order, to what has to be done. A function of values. */
export function reduceEvents(events: readonly StreamEvent[], options: ReduceOptions): ReducedBatch {
  const batch: ReducedBatch = {
    ops: [],
    eventOf: new Map(),
    revs: new Map(),
    accounts: [],
    identities: [],
    seen: new Map(),
    decided: new Map(),
    invalid: new Map(),
  }
  const newest = new Map<string, { event: RecordEvent; index: number; passing?: RecordEvent }>()
  for (const [index, event] of events.entries()) {
    if (!batch.seen.has(event.did)) batch.seen.set(event.did, indexedTime(event.time, options.now))
    switch (event.type) {
      case 'create':
      case 'update':
      case 'delete': {
        if (!isBackfillSeq(event.seq) && !saysItsPlace(event)) raiseRev(batch.revs, event, index)
        if (!options.plugins.has(event.collection) && options.otherCollections === 'skip') {
          batch.decided.set(index, 'skipped')
          break
        }
        const uri = recordUri(event)
        const rival = newest.get(uri)
        if (rival === undefined) newest.set(uri, { event, index })
        else if (event.rev > rival.event.rev) {
          batch.decided.set(rival.index, 'stale')
          const passing = rival.event.type === 'delete' ? rival.passing : rival.event
          newest.set(uri, { event, index, ...(passing && { passing }) })
        } else {
          batch.decided.set(
            index,
            event.rev < rival.event.rev ? 'stale' : sameContent(event, rival.event) ? 'duplicate' : 'equivocation',
          )
        }
        break
      }
      case 'repo':
        if (!saysItsPlace(event)) raiseRev(batch.revs, event, index)
        batch.decided.set(index, 'applied')
        break
      case 'account':
        batch.accounts.push(storableAccount(event))
        batch.decided.set(index, 'applied')
        break
      case 'identity':
        batch.identities.push(event)
        batch.decided.set(index, 'applied')
        break
    }
  }
  for (const uri of [...newest.keys()].sort()) {
    const { event, index, passing } = newest.get(uri)!
    const op = toOp(uri, event, passing, options)
    if (op.action === 'remove' && op.invalid !== undefined) batch.invalid.set(index, op.invalid)
    batch.eventOf.set(op, index)
    batch.ops.push(op)
  }
  return batch
}

/**
 * Whether the chain of commits and the count of runs decide when the revision of an event is reached. Other services
 * write nothing of either: each of their entries stands for the whole of its commit.
 */
function saysItsPlace(event: RecordEvent | RepoEvent): boolean {
  if (event.type === 'repo' && event.sync) return true
  return event.run !== undefined || (event.data !== undefined && event.seq !== undefined && !isBackfillSeq(event.seq))
}

function raiseRev(
  revs: Map<string, RepoRev & { event: number }>,
  { did, rev, commit }: RecordEvent | RepoEvent,
  event: number,
): void {
  const before = revs.get(did)
  if (before === undefined || rev > before.rev) revs.set(did, { did, rev, commit, event })
}

function sameContent(a: RecordEvent, b: RecordEvent): boolean {
  return a.type === 'delete' || b.type === 'delete' ? a.type === b.type : a.cid === b.cid
}

function toOp(uri: string, event: RecordEvent, passing: RecordEvent | undefined, options: ReduceOptions): RecordOp {
  const plugin = options.plugins.get(event.collection)
  const place = {
    uri,
    did: event.did,
    collection: event.collection,
    rkey: event.rkey,
    rev: event.rev,
    indexedAt: indexedTime(event.time, options.now),
    plugin,
    ...(event.reindex && { reindex: true }),
  }
  if (event.type === 'delete') return { ...place, action: 'remove', ...passingRecord(uri, passing, plugin, options) }
  if (options.refused) return { ...place, action: 'remove', invalid: 'the database refuses it' }
  try {
    const context = contextOf(uri, event, plugin, place.indexedAt)
    const isHeld = plugin !== undefined && options.isPaused?.(event.collection) === true
    const row = plugin && !isHeld ? typedRow(plugin, context, options.shapes) : null
    const put = { ...place, action: 'put', cid: event.cid, json: JSON.stringify(event.record), context, row } as const
    // Without its plugin nothing follows from it.
    return isHeld ? { ...put, plugin: undefined, isHeld } : put
  } catch (error) {
    if (!(error instanceof InvalidRecordError)) throw error
    return { ...place, action: 'remove', invalid: error.message } satisfies RemoveOp
  }
}

/** A status is any text (hazards I22, J5). */
function storableAccount(event: AccountEvent): AccountEvent {
  return event.status === undefined ? event : { ...event, status: storableText(event.status) }
}

function contextOf(
  uri: string,
  event: Exclude<RecordEvent, { type: 'delete' }>,
  plugin: RecordPlugin | undefined,
  indexedAt: string,
): RecordContext<unknown> {
  // With a plugin, its collection says what a record of it is.
  if (!plugin) requireType(event.record, event.collection)
  // Our own services write no others; what they refuse is refused here as well, whoever wrote it (hazards J2, J8).
  if (!isRecordJson(event.record)) throw new InvalidRecordError('not atproto data: a fraction, or too many levels')
  const record = plugin ? plugin.collection.parse(event.record) : event.record
  return { uri, cid: event.cid, did: event.did, rkey: event.rkey, record, indexedAt }
}

function passingRecord(
  uri: string,
  passing: RecordEvent | undefined,
  plugin: RecordPlugin | undefined,
  options: ReduceOptions,
): { passing?: RecordContext<unknown> } {
  if (passing === undefined || passing.type === 'delete' || !plugin?.parts?.some((part) => part.markDeleted)) return {}
  try {
    return { passing: contextOf(uri, passing, plugin, indexedTime(passing.time, options.now)) }
  } catch (error) {
    if (!(error instanceof InvalidRecordError)) throw error
    return {}
  }
}
