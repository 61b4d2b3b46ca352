import { JsonWriter, readRecord, TreeWalk, type Link, type Slab } from '@millrace/repo-reader'
import {
  CollectionFilter,
  hostWithoutScheme,
  InvalidEventError,
  recordUri,
  SEQ_BACKFILL,
  streamEventCodec,
  type BackfillEvent,
  type RepoEvent,
} from '@millrace/stream-protocol'
import type { EntryChunk, LeftOutRecord } from './entry-chunk.ts'

/** What all entries of a fetched repo have in common. */
export interface RunOptions {
  /** Who served the repo, with or without scheme. */
  host: string
  /** When it was fetched, RFC 3339; the same for all its events. */
  time: string
  /** Names this fetch: no other has the same. */
  run: string
  /** What asked for it, if anything did: goes into the events as it is. */
  request?: Pick<BackfillEvent, 'repair' | 'mark' | 'reindex'> | undefined
  /** Patterns of a `CollectionFilter`: records of other collections are passed by, as if the repo did not have them. @default all */
  collections?: readonly string[]
  /** Most entries in a chunk. @default 500 */
  chunkSize?: number
}

/** A repo as its commit names it. */
export interface RepoHead {
  did: string
  /** CID of the signed commit. */
  commit: string
  rev: string
  /** CID of the tree's root. */
  data: string
}

/** A chunk with large records is shorter. */
const CHUNK_BYTES = 1024 * 1024

/**
 * The stream entries that bring a verified repo into a database: one `create` for each record in the order of the tree,
 * all at the revision of the whole, then one `repo` event that closes it and says how many there were. An empty repo is
 * closed too. In place of a record that no event can carry stands a `delete`, so that no older version of it stays.
 *
 * The closing event is in a chunk of its own. Chunks are made as they are asked for, out of the bytes that came in, so
 * that a large repo does not stand in memory twice.
 */
export function* repoEntries(slab: Slab, root: Link, head: RepoHead, options: RunOptions): Generator<EntryChunk, void> {
  const { did } = head
  const { time, run, request: { repair, mark, reindex } = {}, chunkSize = 500 } = options
  const host = hostWithoutScheme(options.host)
  const taken = options.collections && new CollectionFilter(options.collections)
  const { commit, rev, data } = head
  const shared = { time, did, commit, rev, run, ...(repair !== undefined && { repair }), ...(reindex && { reindex }) }
  const common = `"seq":${SEQ_BACKFILL},${JSON.stringify(shared).slice(1, -1)},"op":`
  const hostField = `","host":${JSON.stringify(host)}`
  const writer = new JsonWriter()
  const tree = new TreeWalk(slab, root, { check: false })
  let ends: number[] = []
  let records = 0
  let leftOut: LeftOutRecord[] = []
  let recordsBefore = 0
  let leftOutBefore = 0
  const take = (isLast = false): EntryChunk => {
    const chunk = { bytes: writer.take(), ends: Uint32Array.from(ends), records, leftOut, isLast }
    recordsBefore += records
    leftOutBefore += leftOut.length
    ends = []
    records = 0
    leftOut = []
    return chunk
  }
  const writePlace = (type: string): void => {
    const op = recordsBefore + leftOutBefore + ends.length
    writer.raw(`{"type":"${type}",${common}${op},"collection":"${tree.collection}","rkey":"${tree.rkey}${hostField}`)
  }
  while (tree.next()) {
    if (taken?.has(tree.collection) === false) continue
    const { segment, start, end } = tree.block
    const entryStart = writer.length
    writePlace('create')
    writer.raw(',"cid":"')
    writer.cid(tree.cidIn, tree.cidAt)
    writer.raw('","record":')
    try {
      if (!writer.record(segment, start, end)) writer.raw(JSON.stringify(readRecord(segment.subarray(start, end))))
      writer.raw('}')
      records++
    } catch (error) {
      if (!(error instanceof InvalidEventError)) throw error
      writer.backTo(entryStart)
      writePlace('delete')
      writer.raw('}')
      const uri = recordUri({ did, collection: tree.collection, rkey: tree.rkey })
      leftOut.push({ uri, cid: tree.cid().toString(), reason: error.reason, error: error.message })
    }
    ends.push(writer.length)
    if (ends.length === chunkSize || writer.length >= CHUNK_BYTES) yield take()
  }
  if (ends.length > 0) yield take()
  const closing: RepoEvent = {
    type: 'repo',
    seq: SEQ_BACKFILL,
    ...shared,
    data,
    records: recordsBefore,
    ...(leftOutBefore > 0 && { leftOut: leftOutBefore }),
    ...(mark !== undefined && { mark }),
    host,
  }
  writer.raw(streamEventCodec.encode(closing))
  ends.push(writer.length)
  yield take(true)
}
