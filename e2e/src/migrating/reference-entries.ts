import { cborToLexRecord, readCar } from '@atproto/repo'
import type { Cid } from '@atproto/lex-data'
import { decodeFrame, lexToJson, type RecordJson } from '@millrace/dev-network'

/** What the reference's services write into an entry, and read of one: these properties, and no others. */
export type ReferenceEvent =
  | {
      type: 'create' | 'update'
      seq: number
      time: string
      did: string
      commit: string
      rev: string
      collection: string
      rkey: string
      cid: string
      record: RecordJson
    }
  | {
      type: 'delete'
      seq: number
      time: string
      did: string
      commit: string
      rev: string
      collection: string
      rkey: string
    }
  | { type: 'repo'; time: string; did: string; commit: string; rev: string }
  | { type: 'account'; seq: number; time: string; did: string; active: boolean; status?: string }
  | { type: 'identity'; seq: number; time: string; did: string; handle?: string }

export interface ReferenceLabel {
  src: string
  uri: string
  val: string
  cts: string
  cid?: string
  ver?: number
  neg?: boolean
  exp?: string
}

export interface ReferenceRepo {
  did: string
  host: string
  rev: string
  status?: string
  active?: boolean
}

interface FrameBody {
  seq: number
  time: string
  did: string
  repo: string
  rev: string
  commit: Cid
  blocks: Uint8Array
  ops: { action: 'create' | 'update' | 'delete'; path: string; cid: Cid | null }[]
  active: boolean
  status?: string
  handle?: string
}

/**
 * The entries that the reference's ingester makes of a frame: one for each operation, account and identity. A `#sync`, and
 * a commit without operations, it leaves out.
 */
export async function referenceEvents(bytes: Uint8Array): Promise<ReferenceEvent[]> {
  const { header, body } = decodeFrame(bytes)
  const { seq, time, did, repo, rev, commit, blocks, ops, active, status, handle } = body as unknown as FrameBody
  switch (header.t ?? '') {
    case '#account':
      return [{ type: 'account', seq, time, did, active, ...(status !== undefined && { status }) }]
    case '#identity':
      return [{ type: 'identity', seq, time, did, ...(handle !== undefined && { handle }) }]
    case '#commit': {
      const car = await readCar(blocks)
      return ops.map(({ action, path, cid }) => {
        const [collection, rkey] = path.split('/') as [string, string]
        const place = { seq, time, did: repo, commit: commit.toString(), rev, collection, rkey }
        if (action === 'delete' || cid === null) return { type: 'delete', ...place }
        const record = lexToJson(cborToLexRecord(car.blocks.get(cid)!))
        return { type: action, record, cid: cid.toString(), ...place }
      })
    }
    default:
      return []
  }
}

/** The properties that its indexer looks at, by type of event. */
const commit = ['time', 'did', 'commit', 'rev'] as const
const place = ['seq', ...commit, 'collection', 'rkey'] as const
const fields: Readonly<Record<ReferenceEvent['type'], { always: readonly string[]; maybe?: string }>> = {
  create: { always: [...place, 'cid', 'record'] },
  update: { always: [...place, 'cid', 'record'] },
  delete: { always: place },
  repo: { always: commit },
  account: { always: ['seq', 'time', 'did', 'active'], maybe: 'status' },
  identity: { always: ['seq', 'time', 'did'], maybe: 'handle' },
}

/**
 * An entry as the reference's indexer reads it: what it looks at, without the rest.
 * @throws when something is missing that it needs.
 */
export function asReferenceReads(text: string): ReferenceEvent {
  const event = JSON.parse(text) as Record<string, unknown> & { type: ReferenceEvent['type'] }
  const { always, maybe } = fields[event.type]
  const missing = always.filter((name) => event[name] === undefined || event[name] === null)
  if (missing.length > 0) throw new Error(`a ${event.type} lacks ${missing.join(', ')}: ${text.slice(0, 200)}`)
  const names = ['type', ...always, ...(maybe !== undefined && event[maybe] !== undefined ? [maybe] : [])]
  return Object.fromEntries(names.map((name) => [name, event[name]])) as unknown as ReferenceEvent
}

export interface ReferenceLabelEntry {
  type: 'label'
  /** With the signature, in the form that Node gives to bytes. */
  label: ReferenceLabel & { sig?: unknown }
}

/** The entries that its ingester makes of a frame of a labeler. */
export function referenceLabels(bytes: Uint8Array): ReferenceLabelEntry[] {
  const { header, body } = decodeFrame(bytes)
  if (header.t !== '#labels') return []
  const { labels } = body as unknown as { labels: (ReferenceLabel & { sig?: Uint8Array })[] }
  return labels.map(({ sig, ...label }) => ({
    type: 'label',
    label: { ...label, ...(sig && { sig: Buffer.from(sig).toJSON() }) },
  }))
}

/** An entry with a label as its indexer reads it, which looks at no signature. @throws when something is missing. */
export function asReferenceReadsLabel(text: string): ReferenceLabelEntry {
  const { type, label } = JSON.parse(text) as ReferenceLabelEntry
  const { src, uri, val, cts } = label
  if (type !== 'label' || [src, uri, val, cts].some((value) => typeof value !== 'string'))
    throw new Error(`no label: ${text.slice(0, 200)}`)
  return { type, label }
}

/** The sequence number of a frame. */
export function seqOf(bytes: Uint8Array): number {
  return (decodeFrame(bytes).body as unknown as { seq: number }).seq
}
