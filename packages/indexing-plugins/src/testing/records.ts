import { cidOf } from '@millrace/indexing/testing'
import { recordUri, type RecordEvent, type RecordJson } from '@millrace/stream-protocol'

export const alice = 'did:plc:alicealicealicealicealic'
export const bob = 'did:plc:bobbobbobbobbobbobbobbob'
export const carol = 'did:plc:carolcarolcarolcarolcaro'

export const createdAt = '2026-01-15T10:00:00.000Z'

/** A record of a collection, made at `createdAt`. */
export function record(collection: string, fields: RecordJson): RecordJson {
  return { $type: collection, createdAt, ...fields }
}

export function post(fields: RecordJson = {}): RecordJson {
  return record('app.bsky.feed.post', { text: 'hello', ...fields })
}

/** What a record says to point at another one. */
export function refTo(event: RecordEvent): { uri: string; cid: string } {
  return { uri: recordUri(event), cid: event.type === 'delete' ? cidOf('deleted') : event.cid }
}

export function replyTo(root: RecordEvent, parent: RecordEvent): RecordJson {
  return { root: refTo(root), parent: refTo(parent) }
}

export function mention(did: string): RecordJson {
  return {
    index: { byteStart: 0, byteEnd: 5 },
    features: [{ $type: 'app.bsky.richtext.facet#mention', did }],
  }
}

export function blob(of: string, mimeType = 'image/jpeg'): RecordJson {
  return { $type: 'blob', ref: { $link: cidOf(of) }, mimeType, size: 1000 }
}
