import { isRkey } from '@millrace/stream-protocol'
import { breakRule } from './errors.ts'
import { Link } from './link.ts'
import { NodeReader } from './node-reader.ts'
import { MAX_PATH_BYTES, splitPath } from './path.ts'
import type { Found, Slab } from './slab.ts'
import { layerOf } from './tree-node.ts'

/** Every second zero bit at the front of a hash is a layer: there are no such keys. */
const MAX_LAYER = 64

/** A node that is being passed through. */
class Level {
  readonly node = new NodeReader()
  /** The key that was read last in this node, and its length. */
  readonly key = Buffer.allocUnsafe(MAX_PATH_BYTES)
  length = 0
  /** Where in the node the CID of the subtree is whose turn it is; -1 when there is none. */
  subtree = -1
}

export interface TreeWalkOptions {
  /** False for a tree that a walk has been through: what costs most is not checked again. @default true */
  check?: boolean
}

/**
 * Passes through the whole Merkle search tree of a repo, record by record in the order of their keys, and checks that it
 * is the one tree that its records have (hazard J9): nodes in their one form, keys that are paths and rise over the whole
 * tree, prefixes that are exactly what two keys have in common, every key on the layer that its hash says, layers that
 * fall by one, no node without keys but the root of an empty repo or between two layers, nothing missing.
 *
 * Keys that rise mean that no node with keys is met twice, and layers that fall that a chain of others ends. No
 * recursion, and no object for a record: what was found is in the fields until the next step.
 */
export class TreeWalk {
  readonly #slab: Slab
  readonly #check: boolean
  readonly #levels: Level[] = []
  readonly #found: Found
  /** Index of the level that is being read; -1 at the end. */
  #depth = -1
  /** Layer of the root. */
  #top = 0
  #path = ''
  /** Of the collection that came last, with its slash. */
  #prefix = '/'
  /** Of the record. */
  collection = ''
  rkey = ''
  /** Where the CID of the record is. */
  cidIn: Buffer
  cidAt = 0
  /** Where the record's block is. */
  readonly block: Found

  /** @throws {BrokenRuleError} what is wrong with the root. */
  constructor(slab: Slab, root: Link, { check = true }: TreeWalkOptions = {}) {
    this.#slab = slab
    this.#check = check
    this.cidIn = root.bytes
    this.#found = { segment: root.bytes, start: 0, end: 0 }
    this.block = { segment: root.bytes, start: 0, end: 0 }
    if (this.#descend(root.bytes, 0).node.left > 0) this.#top = layerOf(firstKey(this.#found))
    if (this.#top > MAX_LAYER) breakRule('tree-depth', `it has ${this.#top} layers`)
  }

  /** CID of the record. */
  cid(): Link {
    return Link.at(this.cidIn, this.cidAt)
  }

  /** Goes on to the next record; false at the end. @throws {BrokenRuleError} */
  next(): boolean {
    while (this.#depth >= 0) {
      const level = this.#levels[this.#depth]!
      const { node, subtree } = level
      if (subtree !== -1) {
        level.subtree = -1
        this.#descend(node.bytes, subtree)
      } else if (node.left === 0) {
        this.#depth--
      } else {
        node.next()
        level.subtree = node.subtree
        this.#readKey(level)
        this.cidIn = node.bytes
        this.cidAt = node.value
        if (!this.#slab.find(node.bytes, node.value, this.block)) this.#slab.failMissing(this.cid(), 'record')
        return true
      }
    }
    return false
  }

  #descend(bytes: Buffer, at: number): Level {
    const depth = ++this.#depth
    if (depth > this.#top) breakRule('tree-layer', 'a node lies below the lowest layer')
    const found = this.#found
    if (!this.#slab.find(bytes, at, found)) this.#slab.failMissing(Link.at(bytes, at), 'node')
    const level = (this.#levels[depth] ??= new Level())
    const { node } = level
    node.open(found.segment, found.start, found.end)
    level.length = 0
    level.subtree = node.first
    if (node.left === 0 && (depth === 0) === (node.first !== -1)) breakRule('tree-empty-node', 'a node has no keys')
    return level
  }

  #readKey(level: Level): void {
    const { node, key, length } = level
    const { bytes, prefix, suffixStart, suffixEnd } = node
    const end = prefix + suffixEnd - suffixStart
    if (prefix > length) breakRule('tree-prefix', 'a key is cut wrongly')
    if (end > MAX_PATH_BYTES) breakRule('tree-key', 'a key is not the path of a record')
    if (prefix < length && prefix < end && bytes[suffixStart] === key[prefix])
      breakRule('tree-prefix', 'a key is cut wrongly')
    for (let to = prefix, from = suffixStart; to < end; to++, from++) key[to] = bytes[from]!
    level.length = end
    const path = key.toString('latin1', 0, end)
    if (path <= this.#path) breakRule('tree-order', `key ${path} is not after ${this.#path}`)
    this.#path = path
    this.#split(path)
    if (this.#check && layerOf(path) !== this.#top - this.#depth)
      breakRule('tree-layer', `key ${path} is not on its layer`)
  }
  /** Keys are in order, so that most have the collection of the one before. */
  #split(path: string): void {
    if (path.startsWith(this.#prefix)) {
      this.rkey = path.slice(this.#prefix.length)
      if (!this.#check || isRkey(this.rkey)) return
    } else {
      const parts = splitPath(path)
      if (parts) {
        this.#prefix = `${parts.collection}/`
        this.collection = parts.collection
        this.rkey = parts.rkey
        return
      }
    }
    breakRule('tree-key', 'a key is not the path of a record')
  }
}

function firstKey({ segment, start, end }: Found): string {
  const node = new NodeReader().open(segment, start, end)
  node.next()
  return segment.toString('latin1', node.suffixStart, node.suffixEnd)
}
