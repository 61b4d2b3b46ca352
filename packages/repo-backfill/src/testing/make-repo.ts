import { hash } from 'node:crypto'
import { Secp256k1Keypair } from '@atproto/crypto'
import { encode, type LexValue } from '@atproto/lex-cbor'
import { cidForCbor, type Cid } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, MemoryBlockstore, MST } from '@atproto/repo'

export const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
export const rev = '3lqjmnw2c2k2a'
const keypair = await Secp256k1Keypair.create()
export const signingKey = keypair.did()

export interface RepoParts {
  /** Records by path: values, or the bytes of a block. */
  records?: { [path: string]: LexValue }
  /** Fields that the commit has instead of the right ones. */
  commit?: { [field: string]: LexValue }
  /** Changes the signature. */
  sign?: (sig: Uint8Array) => Uint8Array
  /** Root of another tree, whose blocks are among `blocks`. */
  data?: Cid
  /** Blocks besides those of the tree and the records. */
  blocks?: BlockMap
  /** CIDs whose blocks are not sent. */
  without?: (cid: Cid) => boolean
}

/** A repo as its PDS would export it, but for what the parts say. */
export async function makeRepo(parts: RepoParts = {}): Promise<{ car: Uint8Array; commit: Cid; data: Cid }> {
  const store = new MemoryBlockstore()
  const blocks = new BlockMap()
  let tree = await MST.create(store)
  for (const [path, record] of Object.entries(parts.records ?? {})) {
    const bytes = record instanceof Uint8Array ? record : encode(record)
    const cid = await cidForCbor(bytes)
    blocks.set(cid, bytes)
    tree = await tree.add(path, cid)
  }
  const nodes = await tree.getUnstoredBlocks()
  blocks.addMap(nodes.blocks)
  if (parts.blocks) blocks.addMap(parts.blocks)
  const data = parts.data ?? nodes.root

  const unsigned = { did, version: 3, data, rev, prev: null, ...parts.commit }
  const sig = await keypair.sign(encode(unsigned))
  const commitBytes = encode({ ...unsigned, sig: parts.sign?.(sig) ?? sig })
  const commit = await cidForCbor(commitBytes)
  blocks.set(commit, commitBytes)

  const sent = new BlockMap()
  for (const { cid, bytes } of blocks.entries()) if (!parts.without?.(cid)) sent.set(cid, bytes)
  return { car: await blocksToCarFile(commit, sent), commit, data }
}

export interface NodeEntry {
  key: string
  value: Cid
  /** What is left out of the key, if not what it has in common with the key before. */
  prefix?: number
  next?: Cid | null
}

/** Adds a node of a tree as it is told, right or wrong. */
export async function addNode(blocks: BlockMap, first: Cid | null, entries: NodeEntry[]): Promise<Cid> {
  let last = ''
  const e = entries.map(({ key, value, prefix = commonPrefix(last, key), next = null }) => {
    last = key
    return { p: prefix, k: Buffer.from(key.slice(Math.max(0, prefix)), 'latin1'), v: value, t: next }
  })
  const bytes = encode({ l: first, e })
  const cid = await cidForCbor(bytes)
  blocks.set(cid, bytes)
  return cid
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** Some key of a collection whose hash puts it on a layer. */
export function keyOn(layer: number, collection: string): string {
  for (let n = 0; ; n++) {
    const bits = BigInt(`0x${hash('sha256', `${collection}/${n}`)}`)
      .toString(2)
      .padStart(256, '0')
    if (Math.floor(bits.indexOf('1') / 2) === layer) return `${collection}/${n}`
  }
}
