import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, parseCid, type Cid, type LexMap } from '@atproto/lex-data'
import { MemoryBlockstore, MST } from '@atproto/repo'
import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Link } from './link.ts'
import { PartialTree } from './partial-tree.ts'
import { Slab } from './slab.ts'
import { varint } from './testing/varint.ts'
import { TreeWalk, type TreeWalkOptions } from './walk-tree.ts'

const [oneBlock, twoBlock] = [Buffer.from(encode({ text: 'one' })), Buffer.from(encode({ text: 'two' }))]
const [one, two] = [await cidForCbor(oneBlock), await cidForCbor(twoBlock)]
const linkOf = (cid: Cid): Link => Link.read(Buffer.from(cid.bytes))!
const pathOf = (n: number): string =>
  `app.bsky.feed.${n % 2 === 0 ? 'post' : 'like'}/${n.toString(32).padStart(4, '0')}`
type Stored = Map<string, Buffer>

/** A slab with these blocks, and those of the two records. */
function slabOf(blocks: Stored, root: Link): Slab {
  const header = encode({ version: 1, roots: [parseCid(String(root))] })
  const sections = [...new Map([...blocks, [linkOf(one).key, oneBlock], [linkOf(two).key, twoBlock]])].map(
    ([key, block]) => Buffer.concat([varint(36 + block.length), Buffer.from(key, 'latin1'), block]),
  )
  return Slab.of(Buffer.concat([varint(header.length), header, ...sections]))
}

function walk(blocks: Stored, root: Link, options?: TreeWalkOptions): string[] {
  const tree = new TreeWalk(slabOf(blocks, root), root, options)
  const found: string[] = []
  while (tree.next()) found.push(`${tree.collection}/${tree.rkey} ${tree.cid()}`)
  return found
}

const reasonOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as { reason: string }).reason
  }
  return 'none'
}

async function treeOf(paths: Iterable<string>): Promise<{ root: Link; blocks: Stored }> {
  let tree = await MST.create(new MemoryBlockstore())
  for (const path of paths) tree = await tree.add(path, path.endsWith('3') ? two : one)
  const { root, blocks } = await tree.getUnstoredBlocks()
  return {
    root: linkOf(root),
    blocks: new Map(blocks.entries().map(({ cid, bytes }) => [linkOf(cid).key, Buffer.from(bytes)])),
  }
}

describe('TreeWalk', () => {
  test('finds what the reference put into a tree, in the order of its keys, as single look-ups do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(5_000), { maxLength: 150 }), async (numbers) => {
        const paths = numbers.map(pathOf)
        const { root, blocks } = await treeOf(paths)
        expect(walk(blocks, root)).toEqual(paths.toSorted().map((path) => `${path} ${path.endsWith('3') ? two : one}`))
        const tree = new PartialTree(blocks, root)
        for (const found of walk(blocks, root, { check: false })) {
          const [path, cid] = found.split(' ') as [string, string]
          expect(tree.get(path)).toBe(linkOf(parseCid(cid)).key)
        }
      }),
      { numRuns: 40 },
    )
  })

  test('an empty tree has no records', async () => {
    const { root, blocks } = await treeOf([])
    expect(walk(blocks, root)).toEqual([])
  })

  test('a node that is missing is told, whichever it is (B8)', async () => {
    const { root, blocks } = await treeOf(Array.from({ length: 80 }, (_, n) => pathOf(n)))
    expect(blocks.size).toBeGreaterThan(10)
    for (const key of blocks.keys()) {
      const rest = new Map(blocks)
      rest.delete(key)
      expect(reasonOf(() => walk(rest, root))).toBe('missing-blocks')
    }
  })

  test('a tree whose branches are all one and the same takes no longer than its layers (J9)', async () => {
    const blocks: Stored = new Map()
    const add = async (node: LexMap): Promise<Cid> => {
      const bytes = Buffer.from(encode(node))
      const cid = await cidForCbor(bytes)
      blocks.set(linkOf(cid).key, bytes)
      return cid
    }
    // Each node has the one below on both sides of its key: many ways down, were they all taken.
    let below: Cid | null = null
    for (let layer = 0; layer < 6; layer++)
      below = await add({ l: below, e: [{ p: 0, k: Buffer.from(keyOn(layer)), v: one, t: below }] })
    const root = linkOf(below!)
    const slab = slabOf(blocks, root)
    const find = vi.spyOn(slab, 'find')
    const tree = new TreeWalk(slab, root)
    const walkAll = (): void => {
      while (tree.next());
    }
    expect(reasonOf(walkAll)).toBe('bad-mst')
    expect(find.mock.calls.length).toBeLessThanOrEqual(10)
  })
})

/** Some key whose hash puts it on a layer. */
function keyOn(layer: number): string {
  for (let n = 0; ; n++) {
    const key = `a.b.c/${n}`
    const bits = BigInt(`0x${hash('sha256', key)}`)
      .toString(2)
      .padStart(256, '0')
    if (Math.floor(bits.indexOf('1') / 2) === layer) return key
  }
}
