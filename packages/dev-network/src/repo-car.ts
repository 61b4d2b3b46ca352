import { hash } from 'node:crypto'
import type { Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { CBOR_DATA_CODEC, createCid, SHA256_HASH_CODE, type Cid } from '@atproto/lex-data'
import { commitBlock } from './signed-repo.ts'

export interface RepoCarOptions {
  did: string
  /** A TID. */
  rev: string
  keypair: Keypair
  /** Blocks of records by their path. */
  records: Iterable<readonly [path: string, block: Uint8Array]>
}

interface Entry {
  path: string
  layer: number
  cid: Cid
}

interface Block {
  cid: Cid
  bytes: Uint8Array
}

/** So many numbers fit beside four bytes of a hash. */
const MOST_BLOCKS = 2 ** 21

/**
 * A signed repo as its PDS exports it: the commit, then all other blocks by their CID, which is no order of the tree.
 *
 * Makes the tree from its leaves up, in one go, where {@link SignedRepo} adds record by record: a million of them take
 * seconds.
 */
export async function makeRepoCar({ did, rev, keypair, records }: RepoCarOptions): Promise<Buffer> {
  const blocks: Block[] = []
  const add = (bytes: Uint8Array): Cid => {
    const cid = createCid(CBOR_DATA_CODEC, SHA256_HASH_CODE, hash('sha256', bytes, 'buffer'))
    blocks.push({ cid, bytes })
    return cid
  }
  const entries: Entry[] = []
  for (const [path, block] of records) entries.push({ path, layer: layerOf(path), cid: add(block) })
  entries.sort((a, b) => (a.path < b.path ? -1 : 1))
  const top = entries.reduce((highest, { layer }) => Math.max(highest, layer), 0)
  const data = addNode(entries, 0, entries.length, top, add)
  const commit = await commitBlock({ did, rev, data }, keypair)
  const byCid = sortedByCid(blocks)
  const root = add(commit)
  return fileOf(encode({ version: 1, roots: [root] }), [blocks.at(-1)!, ...byCid])
}

/** By the first bytes of their hashes, as numbers: comparing all of them would take most of the time. */
function sortedByCid(blocks: readonly Block[]): Block[] {
  const keys = Float64Array.from(blocks, ({ cid }, at) => firstOfHash(cid) * MOST_BLOCKS + at).sort()
  return Array.from(keys, (key) => blocks[key % MOST_BLOCKS]!)
}

function firstOfHash({ multihash: { digest } }: Cid): number {
  return ((digest[0]! << 24) | (digest[1]! << 16) | (digest[2]! << 8) | digest[3]!) >>> 0
}

function fileOf(header: Uint8Array, blocks: readonly Block[]): Buffer {
  const sections = blocks.map(({ cid, bytes }) => ({ cid, bytes, length: varint(cid.bytes.length + bytes.length) }))
  const headerLength = varint(header.length)
  let size = headerLength.length + header.length
  for (const { cid, bytes, length } of sections) size += length.length + cid.bytes.length + bytes.length
  const file = Buffer.alloc(size)
  let at = 0
  const write = (part: Uint8Array): void => {
    file.set(part, at)
    at += part.length
  }
  write(headerLength)
  write(header)
  for (const { cid, bytes, length } of sections) {
    write(length)
    write(cid.bytes)
    write(bytes)
  }
  return file
}

/** The node on a layer that holds what is between two places. */
function addNode(entries: Entry[], from: number, to: number, layer: number, add: (bytes: Uint8Array) => Cid): Cid {
  let last = ''
  let start = from
  let first: Cid | null = null
  const e: { p: number; k: Uint8Array; v: Cid; t: Cid | null }[] = []
  const close = (end: number): void => {
    if (end === start) return
    const subtree = addNode(entries, start, end, layer - 1, add)
    const before = e.at(-1)
    if (before) before.t = subtree
    else first = subtree
  }
  for (let at = from; at < to; at++) {
    const { path, layer: own, cid } = entries[at]!
    if (own !== layer) continue
    close(at)
    const p = commonPrefix(last, path)
    e.push({ p, k: Buffer.from(path.slice(p)), v: cid, t: null })
    last = path
    start = at + 1
  }
  close(to)
  return add(encode({ l: first, e }))
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** Leading zeros of the hash, in pairs of bits. */
function layerOf(path: string): number {
  let zeros = 0
  for (const byte of hash('sha256', path, 'buffer')) {
    zeros += byte === 0 ? 8 : Math.clz32(byte) - 24
    if (byte !== 0) break
  }
  return zeros >> 1
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128))
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0))
  return Buffer.from(bytes)
}
