import { hash } from 'node:crypto'
import { InvalidEventError } from '@millrace/stream-protocol'
import type { Blocks } from './car.ts'
import { decodeCbor, isMap, type CborMap, type CborValue } from './cbor.ts'
import { Link } from './link.ts'
import { splitPath } from './path.ts'

/** Most entries of one node. */
const MAX_ENTRIES = 1_000

/** A node as its block has it. `subtrees[i]` holds what is before `keys[i]`, and the last one what is after all keys. */
export interface StoredNode {
  layer: number
  keys: string[]
  /** Keys of the links of records. */
  values: string[]
  /** Keys of links. */
  subtrees: (string | null)[]
  /** Key of its own link. */
  link: string
}

/** What keys of a node must lie between. */
export interface Bounds {
  after: string | undefined
  before: string | undefined
}

export const unbounded: Bounds = { after: undefined, before: undefined }

/** What keys of the subtree at an index must lie between. */
export function within({ keys }: Pick<StoredNode, 'keys'>, index: number, { after, before }: Bounds): Bounds {
  return { after: keys[index - 1] ?? after, before: keys[index] ?? before }
}

/**
 * Reads the node of a Merkle search tree under a link, with every rule that makes one tree of one set of records
 * (hazard J9): fields are those of a node and no others, keys are paths of records, rise, and lie where the nodes above
 * say, prefixes are exactly what two keys have in common, each key is on the layer that its hash says, and a node
 * without keys is the root of an empty repo, or lies between two layers.
 *
 * `below` tells where in the tree it stands. Only the root finds its layer out by itself.
 * @throws {InvalidEventError} `bad-mst`, `missing-blocks`, `bad-block`, or what {@link decodeCbor} throws.
 */
export function loadNode(blocks: Blocks, link: string, below?: { layer: number; bounds: Bounds }): StoredNode {
  if (below && below.layer < 0) failTree(`node ${Link.ofKey(link)} lies below the lowest layer`)
  const block = blocks.get(link)
  if (!block) throw new InvalidEventError('missing-blocks', `node ${Link.ofKey(link)} of the tree is missing`)
  const { keys, values, subtrees } = readEntries(decodeCbor(block), below?.bounds ?? unbounded)
  if (keys.length === 0 && (below === undefined) === (subtrees[0] !== null))
    failTree(`node ${Link.ofKey(link)} has no keys`)
  const layer = below?.layer ?? (keys.length > 0 ? layerOf(keys[0]!) : 0)
  for (const key of keys) if (layerOf(key) !== layer) failTree(`key ${key} is not on its layer`)
  return { layer, keys, values, subtrees, link }
}

function readEntries(node: CborValue, { after, before }: Bounds): Pick<StoredNode, 'keys' | 'values' | 'subtrees'> {
  if (!hasFields(node, 2) || !Array.isArray(node['e'])) return failTree('a node is not one')
  const { e: entries } = node
  if (entries.length > MAX_ENTRIES) failTree(`a node has ${entries.length} entries`)
  const keys: string[] = []
  const values: string[] = []
  const subtrees = [readSubtree(node['l'])]
  let last = ''
  for (const entry of entries) {
    if (!hasFields(entry, 4)) return failTree('an entry is not one')
    const key = readKey(entry, last)
    const least = keys.length === 0 ? after : last
    if (least !== undefined && key <= least) failTree(`key ${key} is not after ${least}`)
    if (!(entry['v'] instanceof Link)) return failTree('an entry has no link to its record')
    keys.push(key)
    values.push(entry['v'].key)
    subtrees.push(readSubtree(entry['t']))
    last = key
  }
  if (before !== undefined && keys.length > 0 && last >= before) failTree(`key ${last} is not before ${before}`)
  return { keys, values, subtrees }
}

function hasFields(value: CborValue, count: number): value is CborMap {
  return isMap(value) && Object.keys(value).length === count
}

function readSubtree(value: CborValue | undefined): string | null {
  if (value === null) return null
  return value instanceof Link ? value.key : failTree('a subtree is not a link')
}

/** Entries leave out what their key has in common with the key before it: exactly that, no less. */
function readKey(entry: CborMap, last: string): string {
  const { p: prefix, k: rest } = entry
  if (typeof prefix !== 'number' || prefix < 0 || prefix > last.length || !(rest instanceof Uint8Array))
    return failTree('a key is cut wrongly')
  const key = last.slice(0, prefix) + Buffer.from(rest.buffer, rest.byteOffset, rest.byteLength).toString('latin1')
  if (!splitPath(key)) failTree('a key is not the path of a record')
  if (commonPrefix(last, key) !== prefix) failTree('a key is cut wrongly')
  return key
}

export function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

/** The layer of a key is the number of leading zeros of its hash, counted in pairs of bits. */
export function layerOf(path: string): number {
  const digest = hash('sha256', path, 'buffer')
  let layer = 0
  for (const byte of digest) {
    if (byte === 0) {
      layer += 4
      continue
    }
    return layer + (byte < 4 ? 3 : byte < 16 ? 2 : byte < 64 ? 1 : 0)
  }
  return layer
}

export function failTree(what: string): never {
  throw new InvalidEventError('bad-mst', `the tree does not hold: ${what}`)
}
