import { blobCid, object, text, textOrNull, type Json } from './json.ts'
import type { KeptRecord } from './records.ts'
import { storable } from './storable.ts'
import type { Row } from './tables.ts'

/** A record with the row that it would have if it were alone. */
export interface TypedRecord {
  record: KeptRecord
  table: string
  row: Row
  /** What an account can hold only once; absent where every record has a row. */
  pair?: string
}

/** The row of a record in the table of its collection; undefined when it has none but that in `record`. */
export function typedRecord(record: KeptRecord): TypedRecord | undefined {
  const { uri, cid, did, rkey, json, createdAt, indexedAt, sortAt } = record
  const base = { uri, cid, creator: did, createdAt, indexedAt, sortAt }
  const typed = (table: string, columns: Row, ...pair: string[]): TypedRecord => ({
    record,
    table,
    row: storableRow(columns),
    ...(pair.length > 0 && { pair: JSON.stringify([table, ...pair]) }),
  })
  switch (record.collection) {
    case 'app.bsky.feed.like':
    case 'app.bsky.feed.repost': {
      const subject = refOf(json['subject'])
      const via = refOf(json['via'])
      const row = { ...base, subject: subject.uri, subjectCid: subject.cid, via: via.uri, viaCid: via.cid }
      return typed(record.collection.slice('app.bsky.feed.'.length), row, did, text(subject.uri))
    }
    case 'app.bsky.graph.follow':
      return typed('follow', { ...base, subjectDid: json['subject'] }, did, text(json['subject']))
    case 'app.bsky.graph.block':
      return typed('actor_block', { ...base, subjectDid: json['subject'] }, did, text(json['subject']))
    case 'app.bsky.graph.listblock':
      return typed('list_block', { ...base, subjectUri: json['subject'] }, did, text(json['subject']))
    case 'app.bsky.graph.referencelistoptout': {
      const subject = text(json['subject'])
      return /^at:\/\/did:[a-z]+:[\w.:%-]+\/app\.bsky\.graph\.list\/[\w~.:-]{1,512}$/.test(subject)
        ? typed('reference_list_opt_out', { ...base, subjectUri: subject }, did, subject)
        : undefined
    }
    case 'app.bsky.graph.listitem': {
      const row = { ...base, subjectDid: json['subject'], listUri: json['list'] }
      return typed('list_item', row, text(json['list']), text(json['subject']))
    }
    case 'app.bsky.graph.verification': {
      const { subject, handle, displayName } = json
      const { sortAt: sortedAt, ...rest } = base
      return typed('verification', { ...rest, sortedAt, rkey, subject, handle, displayName }, did, text(subject))
    }
    case 'app.bsky.graph.list':
      return typed('list', { ...base, name: json['name'], purpose: json['purpose'], ...description(json) })
    case 'app.bsky.feed.generator':
      return typed('feed_generator', {
        ...base,
        feedDid: json['did'],
        displayName: json['displayName'],
        ...description(json),
      })
    case 'app.bsky.graph.starterpack':
      return typed('starter_pack', { ...base, name: json['name'] })
    case 'app.bsky.labeler.service':
      return rkey === 'self' ? typed('labeler', base) : undefined
    case 'app.bsky.actor.profile':
      return rkey === 'self' ? typed('profile', profileRow(record)) : undefined
    case 'app.bsky.feed.threadgate':
      return typed('thread_gate', gateRow(record), text(json['post']))
    case 'app.bsky.feed.postgate':
      return typed('post_gate', gateRow(record), text(json['post']))
    default:
      return undefined
  }
}

export function refOf(value: unknown): { uri: string | null; cid: string | null } {
  const { uri, cid } = object(value)
  return { uri: textOrNull(uri), cid: textOrNull(cid) }
}

function description(json: Json): Row {
  const facets = json['descriptionFacets']
  return {
    description: textOrNull(json['description']),
    descriptionFacets: facets === undefined ? null : JSON.stringify(facets),
    avatarCid: blobCid(json['avatar']),
  }
}

function profileRow({ uri, cid, did, json, createdAt, indexedAt }: KeptRecord): Row {
  return {
    uri,
    cid,
    creator: did,
    displayName: textOrNull(json['displayName']),
    description: textOrNull(json['description']),
    avatarCid: blobCid(json['avatar']),
    bannerCid: blobCid(json['banner']),
    joinedViaStarterPackUri: refOf(json['joinedViaStarterPack']).uri,
    createdAt: json['createdAt'] === undefined ? indexedAt : createdAt,
    indexedAt,
  }
}

function gateRow({ uri, cid, did, json, createdAt, indexedAt }: KeptRecord): Row {
  return { uri, cid, creator: did, postUri: json['post'], createdAt, indexedAt }
}

/** A row with its texts as columns take them. */
export function storableRow(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typeof value === 'string' ? storable(value) : value]),
  )
}
