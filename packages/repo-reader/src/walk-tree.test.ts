import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, parseCid, type Cid, type LexMap } from '@atproto/lex-data'
import { MemoryBlockstore, MST } from '@atproto/repo'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Link } from './link.ts'
import { PartialTree } from './partial-tree.ts'
import { walkTree } from './walk-tree.ts'

const one = parseCid('bafyreigtn62brtkskorw6gd3i37ctvcheylxy3bgi66xhvula277kaqieq')
const two = parseCid('bafyreifv3kzwolm2sq4eyzlo4zlqil2sjvjei6yc4yhemzq3clo47da3ce')
const linkOf = (cid: Cid): Link => Link.read(Buffer.from(cid.bytes))!
const pathOf = (n: number): string =>
  `app.bsky.feed.${n % 2 === 0 ? 'post' : 'like'}/${n.toString(32).padStart(4, '0')}`
type Stored = Map<string, Buffer>
const walk = (blocks: Stored, root: Link): string[] =>
  [...walkTree(blocks, root)].map(({ collection, rkey, link }) => `${collection}/${rkey} ${link}`)
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

describe('walkTree', () => {
  test('finds what the reference put into a tree, in the order of its keys, as single look-ups do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(5_000), { maxLength: 150 }), async (numbers) => {
        const paths = numbers.map(pathOf)
        const { root, blocks } = await treeOf(paths)
        expect(walk(blocks, root)).toEqual(paths.toSorted().map((path) => `${path} ${path.endsWith('3') ? two : one}`))
        const tree = new PartialTree(blocks, root)
        for (const { collection, rkey, link } of walkTree(blocks, root))
          expect(tree.get(`${collection}/${rkey}`)).toBe(link.key)
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
    let loaded = 0
    const counted = {
      has: (key: string) => blocks.has(key),
      get: (key: string) => (loaded++, blocks.get(key)),
    }
    expect(reasonOf(() => [...walkTree(counted, linkOf(below!))])).toBe('bad-mst')
    expect(loaded).toBeLessThanOrEqual(7)
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
