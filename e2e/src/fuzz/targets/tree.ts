import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import { CBOR_DATA_CODEC, createCid, SHA256_HASH_CODE, type Cid } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, MemoryBlockstore, MST, readCarWithRoot } from '@atproto/repo'
import type { Random } from '@millrace/dev-network'
import { Slab, splitPath, TreeWalk } from '@millrace/repo-reader'
import { InvalidEventError } from '@millrace/stream-protocol'
import { mutate } from '../mutate.ts'
import { FuzzError, type FuzzTarget } from '../target.ts'

const cidOf = (bytes: Uint8Array): Cid => createCid(CBOR_DATA_CODEC, SHA256_HASH_CODE, hash('sha256', bytes, 'buffer'))
const records = [encode({ text: 'one' }), encode({ text: 'two' })]
const paths = Array.from({ length: 400 }, (_, n) => `app.bsky.feed.${n % 3 ? 'post' : 'like'}/${n * 7}`)
const MOST_KEYS = 30

/**
 * Trees, many with something wrong in them. There is one tree for one set of records: a tree holds exactly when putting
 * its records into an empty one, with `@atproto/repo`, gives the same root. An input is a CAR file whose root is a node.
 */
export const treeTarget: FuzzTarget = {
  name: 'tree',
  async make(random) {
    const blocks = new BlockMap()
    for (const record of records) blocks.set(cidOf(record), record)
    const keys = random.shuffled(paths).slice(0, random.below(MOST_KEYS)).sort()
    const faults = random.chance(0.3) ? 0 : 0.04
    const top = keys.reduce((highest, key) => Math.max(highest, layerOf(key)), 0)
    const root = addNode({ random, blocks, faults }, keys, top)
    return Buffer.from(await blocksToCarFile(root, blocks))
  },
  async run(input) {
    const ours = walk(input)
    const reference = await readReference(input)
    const holds = reference !== undefined && (await rootOf(reference.leaves)).equals(reference.root)
    if (ours && !holds) throw new FuzzError('a tree was taken that is not the one of its records')
    if (!ours && holds) throw new FuzzError('a tree was refused that is the one of its records')
    if (ours && ours.join() !== reference?.leaves.map(({ key, value }) => `${key} ${value}`).join())
      throw new FuzzError('other records were found')
    return ours ? 'accepted' : 'refused'
  },
}

interface Leaf {
  key: string
  value: Cid
}

function walk(car: Buffer): string[] | undefined {
  try {
    const slab = Slab.of(car)
    const tree = new TreeWalk(slab, slab.root)
    const found: string[] = []
    while (tree.next()) found.push(`${tree.collection}/${tree.rkey} ${tree.cid()}`)
    return found
  } catch (error) {
    if (error instanceof InvalidEventError) return undefined
    throw error
  }
}

/** The leaves as the reference reads them, if they are records that are there. */
async function readReference(car: Buffer): Promise<{ root: Cid; leaves: Leaf[] } | undefined> {
  try {
    const { root, blocks } = await readCarWithRoot(car)
    const tree = MST.load(new MemoryBlockstore(blocks), root)
    const leaves: Leaf[] = []
    // It reads for ever where a tree has many ways through it.
    for await (const { key, value } of tree.walkLeavesFrom(''))
      if (leaves.push({ key, value }) > 10 * MOST_KEYS) return undefined
    const areRecords = leaves.every(({ key, value }) => splitPath(key) && blocks.has(value))
    const areUnique = new Set(leaves.map(({ key }) => key)).size === leaves.length
    return areRecords && areUnique ? { root, leaves } : undefined
  } catch {
    return undefined
  }
}

async function rootOf(leaves: readonly Leaf[]): Promise<Cid> {
  let tree = await MST.create(new MemoryBlockstore())
  for (const { key, value } of leaves) tree = await tree.add(key, value)
  return tree.getPointer()
}

interface Making {
  random: Random
  blocks: BlockMap
  /** How likely each thing is to be done wrong. */
  faults: number
}

type NodeEntry = {
  p: number
  k: Uint8Array
  v: Cid
  t: Cid | null
}

function addNode(making: Making, keys: readonly string[], layer: number): Cid {
  const { random, blocks, faults } = making
  const own = keys.filter((key) => layerOf(key) === layer)
  const between = (after: string | undefined, before: string | undefined): Cid | null => {
    const inner = keys.filter((key) => (after === undefined || key > after) && (before === undefined || key < before))
    if (inner.length === 0 && !random.chance(faults / 4)) return null
    if (random.chance(faults / 2)) return null
    return addNode(making, inner, random.chance(faults / 2) ? layer : layer - 1)
  }
  let last = ''
  let e = own.map((key, index): NodeEntry => {
    const common = commonPrefix(last, key)
    const p = random.chance(faults) ? Math.max(0, common - 1 - random.below(2)) : common
    last = key
    return { p, k: Buffer.from(key.slice(p)), v: cidOf(random.pick(records)!), t: between(key, own[index + 1]) }
  })
  if (random.chance(faults)) e = random.shuffled(e)
  if (random.chance(faults) && e[0]) e.push(e[0])
  const l = layer > 0 ? between(undefined, own[0]) : null
  let bytes: Uint8Array = random.chance(faults / 2) ? encode({ l, e, more: 1 }) : encode({ l, e })
  if (random.chance(faults / 2)) bytes = mutate(bytes, random)
  const cid = cidOf(bytes)
  if (!random.chance(faults / 4)) blocks.set(cid, bytes)
  return cid
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** Leading zeros of the hash, in pairs of bits. */
function layerOf(path: string): number {
  const bits = hash('sha256', path, 'buffer').readUInt32BE(0)
  return Math.clz32(bits) >> 1
}
