import { hash } from 'node:crypto'
import type { Blocks } from './car.ts'
import { breakRule } from './errors.ts'
import { CID_BYTES, Link } from './link.ts'
import { NodeReader } from './node-reader.ts'
import { splitPath } from './path.ts'

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
 * (hazard J9): its form, keys that are paths of records, rise, and lie where the nodes above say, prefixes that are
 * exactly what two keys have in common, each key on the layer that its hash says, and a node without keys only as the
 * root of an empty repo, or between two layers.
 *
 * `below` tells where in the tree it stands. Only the root finds its layer out by itself.
 * @throws {InvalidEventError} `bad-mst`, `missing-blocks`, `bad-block`, or what {@link decodeCbor} throws.
 */
export function loadNode(blocks: Blocks, link: string, below?: { layer: number; bounds: Bounds }): StoredNode {
  if (below && below.layer < 0) breakRule('tree-layer', `node ${Link.ofKey(link)} lies below the lowest layer`)
  const block = blocks.get(link)
  if (!block) return breakRule('block-missing', `node ${Link.ofKey(link)} of the tree is missing`)
  const { keys, values, subtrees } = readEntries(block, below?.bounds ?? unbounded)
  if (keys.length === 0 && (below === undefined) === (subtrees[0] !== null))
    breakRule('tree-empty-node', `node ${Link.ofKey(link)} has no keys`)
  const layer = below?.layer ?? (keys.length > 0 ? layerOf(keys[0]!) : 0)
  for (const key of keys) if (layerOf(key) !== layer) breakRule('tree-layer', `key ${key} is not on its layer`)
  return { layer, keys, values, subtrees, link }
}

function readEntries(block: Buffer, { after, before }: Bounds): Pick<StoredNode, 'keys' | 'values' | 'subtrees'> {
  const node = new NodeReader().open(block, 0, block.length)
  const linkAt = (at: number): string => block.toString('latin1', at, at + CID_BYTES)
  const subtreeAt = (at: number): string | null => (at === -1 ? null : linkAt(at))
  const keys: string[] = []
  const values: string[] = []
  const subtrees = [subtreeAt(node.first)]
  let last = ''
  while (node.left > 0) {
    node.next()
    const { prefix } = node
    // Entries leave out what their key has in common with the key before it: exactly that, no less.
    const key = last.slice(0, prefix) + block.toString('latin1', node.suffixStart, node.suffixEnd)
    if (prefix > last.length || commonPrefix(last, key) !== prefix) breakRule('tree-prefix', 'a key is cut wrongly')
    if (!splitPath(key)) breakRule('tree-key', 'a key is not the path of a record')
    const least = keys.length === 0 ? after : last
    if (least !== undefined && key <= least) breakRule('tree-order', `key ${key} is not after ${least}`)
    keys.push(key)
    values.push(linkAt(node.value))
    subtrees.push(subtreeAt(node.subtree))
    last = key
  }
  if (before !== undefined && keys.length > 0 && last >= before)
    breakRule('tree-order', `key ${last} is not before ${before}`)
  return { keys, values, subtrees }
}

export function commonPrefix(a: string, b: string): number {
  let length = 0
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++
  return length
}

/** The layer of a key is the number of leading zeros of its hash, counted in pairs of bits. */
export function layerOf(path: string): number {
  const digest = hash('sha256', path, 'binary')
  let layer = 0
  for (let index = 0; index < digest.length; index++) {
    const byte = digest.charCodeAt(index)
    if (byte !== 0) return layer + (byte < 4 ? 3 : byte < 16 ? 2 : byte < 64 ? 1 : 0)
    layer += 4
  }
  return layer
}
