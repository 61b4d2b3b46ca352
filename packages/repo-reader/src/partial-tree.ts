import { hash } from 'node:crypto'
import type { Blocks } from './car.ts'
import { breakRule } from './errors.ts'
import type { Link } from './link.ts'
import { commonPrefix, layerOf, loadNode, unbounded, within, type Bounds, type StoredNode } from './tree-node.ts'

/** Of a node that has not been looked at yet, only the key of its link is known. */
type Subtree = TreeNode | string | null

/** A node that changes. */
interface TreeNode extends Omit<StoredNode, 'subtrees' | 'link'> {
  subtrees: Subtree[]
  /** Key of its link; undefined once changed. */
  link: string | undefined
}

/**
 * The part of a repo's Merkle search tree that a commit brought along. Values are keys of links.
 *
 * Each node is checked when it is reached: keys sorted over the whole tree, prefixes exact, every key on the layer that
 * its hash says, layers falling by one (hazard J9). What is reached is bounded by the layers, whatever was sent.
 * @throws {InvalidEventError} `bad-mst`, or `missing-blocks` where an answer needs a node that was not sent.
 */
export class PartialTree {
  readonly #blocks: Blocks
  #root: Subtree

  constructor(blocks: Blocks, root: Link) {
    this.#blocks = blocks
    this.#root = root.key
  }

  /** The value at a path, or null when the tree has none there. */
  get(path: string): string | null {
    let node = this.#loadRoot()
    let bounds = unbounded
    while (node) {
      const index = position(node, path)
      if (node.keys[index] === path) return node.values[index]!
      bounds = within(node, index, bounds)
      node = this.#child(node, index, bounds)
    }
    return null
  }

  /** Puts a value where there is one. */
  replace(path: string, value: string): void {
    const root = this.#loadRoot()
    this.#root = this.#change(root, path, unbounded, (node, index) => {
      node.values[index] = value
      return node
    })
  }

  /** Takes a path out. There has to be a value at it. */
  remove(path: string): void {
    const root = this.#loadRoot()
    this.#root = this.#change(root, path, unbounded, (node, index, bounds) => {
      const left = this.#child(node, index, within(node, index, bounds))
      const right = this.#child(node, index + 1, within(node, index + 1, bounds))
      node.keys.splice(index, 1)
      node.values.splice(index, 1)
      node.subtrees.splice(index, 2, this.#merge(left, right, within(node, index, bounds)))
      return node.keys.length === 0 && node.subtrees[0] === null ? null : node
    })
  }

  /** Puts a value where there is none. */
  insert(path: string, value: string): void {
    const layer = layerOf(path)
    const root = this.#loadRoot()
    if (!root) {
      this.#root = leaf(layer, path, value)
    } else if (layer <= root.layer) {
      this.#root = this.#insertBelow(root, path, value, layer, unbounded)
    } else {
      const [left, right] = this.#split(root, path, unbounded)
      this.#root = leaf(layer, path, value)
      this.#root.subtrees = [raise(left, layer - 1), raise(right, layer - 1)]
    }
  }

  /** Link of the root as the tree stands now. */
  rootKey(): string {
    let root = this.#root
    // A root without keys is no root: its only subtree is. One that was not sent is older than the commit, so it has keys.
    while (root !== null && typeof root !== 'string' && root.keys.length === 0)
      root = this.#has(root.subtrees[0]!) ? this.#child(root, 0, unbounded) : root.subtrees[0]!
    return linkOf(root ?? { layer: 0, keys: [], values: [], subtrees: [null], link: undefined })
  }

  #has(subtree: Subtree): boolean {
    return typeof subtree !== 'string' || this.#blocks.has(subtree)
  }

  #loadRoot(): TreeNode | null {
    if (typeof this.#root === 'string') {
      const root = loadNode(this.#blocks, this.#root)
      this.#root = root.keys.length === 0 ? null : root
    }
    return this.#root
  }

  #child(node: TreeNode, index: number, bounds: Bounds): TreeNode | null {
    const child = node.subtrees[index]!
    if (typeof child !== 'string') return child
    const loaded = loadNode(this.#blocks, child, { layer: node.layer - 1, bounds })
    node.subtrees[index] = loaded
    return loaded
  }

  /** Changes the node that holds a key, and forgets the links of all above it. */
  #change(
    node: TreeNode | null,
    path: string,
    bounds: Bounds,
    change: (node: TreeNode, index: number, bounds: Bounds) => TreeNode | null,
  ): TreeNode | null {
    if (!node) return breakRule('tree-operation', `there is no ${path} in the tree`)
    const index = position(node, path)
    node.link = undefined
    if (node.keys[index] === path) return change(node, index, bounds)
    const inner = within(node, index, bounds)
    node.subtrees[index] = this.#change(this.#child(node, index, inner), path, inner, change)
    return node.keys.length === 0 && node.subtrees[0] === null ? null : node
  }

  #insertBelow(node: TreeNode, path: string, value: string, layer: number, bounds: Bounds): TreeNode {
    const index = position(node, path)
    if (node.keys[index] === path) breakRule('tree-operation', `${path} is in the tree already`)
    const inner = within(node, index, bounds)
    const child = this.#child(node, index, inner)
    node.link = undefined
    if (node.layer === layer) {
      const [left, right] = this.#split(child, path, inner)
      node.keys.splice(index, 0, path)
      node.values.splice(index, 0, value)
      node.subtrees.splice(index, 1, left, right)
    } else {
      node.subtrees[index] = child
        ? this.#insertBelow(child, path, value, layer, inner)
        : raise(leaf(layer, path, value), node.layer - 1)
    }
    return node
  }

  /** Parts a node into what is before a key and what is after it. */
  #split(node: TreeNode | null, path: string, bounds: Bounds): [TreeNode | null, TreeNode | null] {
    if (!node) return [null, null]
    const index = position(node, path)
    const inner = within(node, index, bounds)
    const [left, right] = this.#split(this.#child(node, index, inner), path, inner)
    const part = (from: number, to: number, subtrees: Subtree[]): TreeNode | null =>
      from === to && subtrees[0] === null
        ? null
        : {
            layer: node.layer,
            keys: node.keys.slice(from, to),
            values: node.values.slice(from, to),
            subtrees,
            link: undefined,
          }
    return [
      part(0, index, [...node.subtrees.slice(0, index), left]),
      part(index, node.keys.length, [right, ...node.subtrees.slice(index + 1)]),
    ]
  }

  /** Joins two neighbours on one layer, the key between them being gone. */
  #merge(left: TreeNode | null, right: TreeNode | null, bounds: Bounds): TreeNode | null {
    if (!left || !right) return left ?? right
    const end = left.keys.length
    const seam = this.#merge(
      this.#child(left, end, { ...within(left, end, bounds), before: bounds.before }),
      this.#child(right, 0, { ...within(right, 0, bounds), after: left.keys.at(-1) ?? bounds.after }),
      { after: left.keys.at(-1) ?? bounds.after, before: right.keys[0] ?? bounds.before },
    )
    return {
      layer: left.layer,
      keys: [...left.keys, ...right.keys],
      values: [...left.values, ...right.values],
      subtrees: [...left.subtrees.slice(0, -1), seam, ...right.subtrees.slice(1)],
      link: undefined,
    }
  }
}

/** Index of the first key that is not before the path. */
function position(node: TreeNode, path: string): number {
  let low = 0
  let high = node.keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (node.keys[middle]! < path) low = middle + 1
    else high = middle
  }
  return low
}

function leaf(layer: number, path: string, value: string): TreeNode {
  return { layer, keys: [path], values: [value], subtrees: [null, null], link: undefined }
}

/** Puts nodes without keys above a node until it is on a layer. */
function raise(node: TreeNode | null, layer: number): TreeNode | null {
  let raised = node
  while (raised && raised.layer < layer)
    raised = { layer: raised.layer + 1, keys: [], values: [], subtrees: [raised], link: undefined }
  return raised
}

function linkOf(subtree: TreeNode | string): string {
  if (typeof subtree === 'string') return subtree
  subtree.link ??= `\x01\x71\x12\x20${hash('sha256', encodeNode(subtree), 'binary')}`
  return subtree.link
}

/** What an entry takes beside its key: heads, names of fields, and two links. */
const ENTRY_BYTES = 112

/** A node is encoded for its hash alone, so that all can share one place. */
let scratch = Buffer.allocUnsafe(4_096)

function encodeNode({ keys, values, subtrees }: TreeNode): Buffer {
  // Below first: they are encoded in the same place.
  const links = subtrees.map((subtree) => (subtree === null ? null : linkOf(subtree)))
  const size = keys.reduce((sum, key) => sum + key.length + ENTRY_BYTES, ENTRY_BYTES)
  if (size > scratch.length) scratch = Buffer.allocUnsafe(size * 2)
  let at = scratch.write('\xa2\x61e', 0, 'latin1')
  at = writeHead(at, 4, keys.length)
  let last = ''
  for (const [index, key] of keys.entries()) {
    const prefix = commonPrefix(last, key)
    at += scratch.write('\xa4\x61k', at, 'latin1')
    at = writeHead(at, 2, key.length - prefix)
    at += scratch.write(key.slice(prefix), at, 'latin1')
    at += scratch.write('\x61p', at, 'latin1')
    at = writeHead(at, 0, prefix)
    at += scratch.write('\x61t', at, 'latin1')
    at = writeLink(at, links[index + 1]!)
    at += scratch.write('\x61v', at, 'latin1')
    at = writeLink(at, values[index]!)
    last = key
  }
  at += scratch.write('\x61l', at, 'latin1')
  at = writeLink(at, links[0]!)
  return scratch.subarray(0, at)
}

function writeLink(at: number, key: string | null): number {
  if (key === null) return scratch.writeUInt8(0xf6, at)
  const start = writeHead(at + scratch.write('\xd8\x2a', at, 'latin1'), 2, key.length + 1)
  return start + scratch.write(`\0${key}`, start, 'latin1')
}

/** First bytes of an item; no length here reaches 65,536. */
function writeHead(at: number, major: number, value: number): number {
  const type = major << 5
  if (value < 24) return scratch.writeUInt8(type | value, at)
  if (value < 0x100) return scratch.writeUInt16BE(((type | 24) << 8) | value, at)
  return scratch.writeUInt16BE(value, scratch.writeUInt8(type | 25, at))
}
