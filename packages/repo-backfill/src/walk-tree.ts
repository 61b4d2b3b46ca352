import { hash } from 'node:crypto'
import type { LexValue } from '@atproto/lex-cbor'
import { ifCid, type Cid } from '@atproto/lex-data'
import { isNsid, isObject, isRkey } from '@millrace/stream-protocol'
import type { Car } from './car.ts'

/** Most entries of a node, and bytes of a key. */
const MAX_ENTRIES = 1_000
const MAX_KEY_BYTES = 830

/** A record as the tree has it. */
export interface Leaf {
  collection: string
  rkey: string
  cid: Cid
}

/** What does not hold in a tree. */
export class TreeError extends Error {
  override readonly name = 'TreeError'
}

interface Entry {
  key: string
  value: Cid
  /** The subtree after the key. */
  next: Cid | null
}

/** A node whose entries are being passed on. */
interface Open {
  layer: number
  entries: Entry[]
  /** The entry whose turn it is. */
  at: number
}

/** The node to go on with. Only the root finds its layer out by itself. */
interface Below {
  cid: Cid
  layer: number | null
}

/**
 * Walks a repo's Merkle search tree from its root and yields the records in the order of their keys.
 *
 * It is strict, so that one set of records has one tree (hazard J9): keys rise over the whole tree, each key is on the
 * layer that its hash says, layers fall by one, prefixes are exactly what two keys have in common, and a node without
 * keys is the root of an empty repo, or lies between two layers. So no node is met twice, for its keys would not rise,
 * and the depth is bounded by the layer of the root. No recursion: depth costs an array, not a stack.
 * @throws {TreeError | CarError}
 */
export function* walkTree(car: Car, root: Cid): Generator<Leaf> {
  const open: Open[] = []
  let lastKey = ''
  let below: Below | null = { cid: root, layer: null }
  for (;;) {
    if (below) {
      const name = below.cid.toString()
      const { first, entries } = readNode(car.map(below.cid), name)
      const isRoot = below.layer === null
      if (entries.length === 0 && isRoot === (first !== null)) throw new TreeError(`node ${name} has no keys`)
      const layer: number = below.layer ?? (entries[0] ? layerOf(entries[0].key) : 0)
      if (layer < 0) throw new TreeError(`node ${name} lies below the lowest layer`)
      open.push({ layer, entries, at: 0 })
      below = first && { cid: first, layer: layer - 1 }
      continue
    }
    const node = open.at(-1)
    if (!node) return
    const entry = node.entries[node.at++]
    if (!entry) {
      open.pop()
      continue
    }
    const { key, value, next } = entry
    if (key <= lastKey) throw new TreeError(`key ${key} is not after ${lastKey}`)
    if (layerOf(key) !== node.layer) throw new TreeError(`key ${key} is not on its layer`)
    lastKey = key
    const slash = key.indexOf('/')
    yield { collection: key.slice(0, slash), rkey: key.slice(slash + 1), cid: value }
    below = next && { cid: next, layer: node.layer - 1 }
  }
}

/** A key's layer is the number of leading zeros of its SHA-256, counted in pairs of bits. */
function layerOf(key: string): number {
  let layer = 0
  for (const byte of hash('sha256', key, 'buffer')) {
    if (byte !== 0) return layer + (byte < 4 ? 3 : byte < 16 ? 2 : byte < 64 ? 1 : 0)
    layer += 4
  }
  return layer
}

function readNode(node: { [key: string]: LexValue }, name: string): { first: Cid | null; entries: Entry[] } {
  const fail = (what: string): never => {
    throw new TreeError(`node ${name}: ${what}`)
  }
  const { l: first, e: list } = node
  if (Object.keys(node).length !== 2 || !Array.isArray(list)) return fail('it is not a node')
  if (list.length > MAX_ENTRIES) fail(`it has ${list.length} entries`)
  const entries: Entry[] = []
  let last = ''
  for (const entry of list as readonly unknown[]) {
    if (!isObject(entry) || Object.keys(entry).length !== 4) return fail('an entry is not one')
    const { p: prefix, k: rest, v: value, t: next } = entry
    if (typeof prefix !== 'number' || prefix < 0 || prefix > last.length || !(rest instanceof Uint8Array))
      return fail('a key is cut wrongly')
    const key = last.slice(0, prefix) + Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength).toString('latin1')
    if (!isPath(key)) fail('a key is not the path of a record')
    if (commonPrefix(last, key) !== prefix) fail('a key is cut wrongly')
    entries.push({ key, value: ifCid(value) ?? fail('a record is not a link'), next: readSubtree(next) })
    last = key
  }
  return { first: readSubtree(first), entries }

  function readSubtree(value: unknown): Cid | null {
    return value === null ? null : (ifCid(value) ?? fail('a subtree is not a link'))
  }
}

function isPath(key: string): boolean {
  const slash = key.indexOf('/')
  return key.length <= MAX_KEY_BYTES && slash > 0 && isNsid(key.slice(0, slash)) && isRkey(key.slice(slash + 1))
}

function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && length < b.length && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}
