import type { Blocks } from './car.ts'
import { Link } from './link.ts'
import { splitPath } from './path.ts'
import { loadNode, unbounded, within, type Bounds, type StoredNode } from './tree-node.ts'

/** A record as the tree has it. */
export interface Leaf {
  collection: string
  rkey: string
  link: Link
}

/** A node that is being passed through. */
interface Open {
  node: StoredNode
  bounds: Bounds
  /** Index of the subtree whose turn it is, after the key before it. */
  at: number
}

/**
 * Walks a repo's whole Merkle search tree from its root and yields the records in the order of their keys.
 *
 * It is as strict as {@link PartialTree}, with the same reader of nodes, so that one set of records has one tree
 * (hazard J9): keys rise over the whole tree, each is on the layer that its hash says, layers fall by one, prefixes are
 * exactly what two keys have in common. So no node with keys is met twice, and the depth is bounded by the layer of the
 * root. No recursion: depth costs an array, not a stack.
 * @throws {InvalidEventError} `bad-mst`, `missing-blocks`, `bad-block`, or what {@link decodeCbor} throws for a node.
 */
export function* walkTree(blocks: Blocks, root: Link): Generator<Leaf, void> {
  const open: Open[] = [{ node: loadNode(blocks, root.key), bounds: unbounded, at: 0 }]
  for (let top = open.at(-1); top; top = open.at(-1)) {
    const { node, bounds } = top
    const index = top.at++
    if (index > 0) yield leaf(node, index - 1)
    if (index === node.keys.length) open.pop()
    const subtree = node.subtrees[index]!
    if (subtree === null) continue
    const below = { layer: node.layer - 1, bounds: within(node, index, bounds) }
    open.push({ node: loadNode(blocks, subtree, below), bounds: below.bounds, at: 0 })
  }
}

function leaf({ keys, values }: StoredNode, index: number): Leaf {
  return { ...splitPath(keys[index]!)!, link: Link.ofKey(values[index]!) }
}
