import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, parseCid, type Cid, type LexMap } from '@atproto/lex-data'
import { MemoryBlockstore, MST } from '@atproto/repo'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Link } from './link.ts'
import { PartialTree } from './partial-tree.ts'

const one = parseCid('bafyreigtn62brtkskorw6gd3i37ctvcheylxy3bgi66xhvula277kaqieq')
const two = parseCid('bafyreifv3kzwolm2sq4eyzlo4zlqil2sjvjei6yc4yhemzq3clo47da3ce')
const linkOf = (cid: Cid) => Link.read(Buffer.from(cid.bytes))!
const path = (n: number) => `app.bsky.feed.post/${n.toString(32).padStart(4, '0')}`

/** A tree of the reference, with all of its blocks. */
async function treeOf(entries: Iterable<[string, Cid]>): Promise<{ root: Cid; blocks: Map<string, Buffer> }> {
  let tree = await MST.create(new MemoryBlockstore())
  for (const [key, value] of entries) tree = await tree.add(key, value)
  const { root, blocks } = await tree.getUnstoredBlocks()
  return { root, blocks: new Map(blocks.entries().map(({ cid, bytes }) => [linkOf(cid).key, Buffer.from(bytes)])) }
}

const reason = (call: () => unknown) => {
  try {
    call()
  } catch (error) {
    return (error as { reason: string }).reason
  }
  return 'none'
}

describe('PartialTree', () => {
  test('has the root of the reference after every change, and finds what it holds', async () => {
    const changes = fc.array(fc.tuple(fc.nat(200), fc.constantFrom('insert', 'remove', 'replace')), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(200), { maxLength: 60 }), changes, async (before, changes) => {
        const entries = new Map(before.map((n) => [path(n), one]))
        const { root, blocks } = await treeOf(entries)
        const tree = new PartialTree(blocks, linkOf(root))
        expect(tree.rootKey()).toBe(linkOf(root).key)
        for (const [n, change] of changes) {
          const key = path(n)
          if (entries.has(key) === (change === 'insert')) continue
          if (change === 'remove') {
            tree.remove(key)
            entries.delete(key)
          } else {
            const value = change === 'insert' ? one : two
            if (change === 'insert') tree.insert(key, linkOf(value).key)
            else tree.replace(key, linkOf(value).key)
            entries.set(key, value)
          }
        }
        for (let n = 0; n <= 200; n++) {
          const value = entries.get(path(n))
          expect(tree.get(path(n))).toBe(value ? linkOf(value).key : null)
        }
        expect(Link.ofKey(tree.rootKey()).toString()).toBe((await treeOf(entries)).root.toString())
      }),
      { numRuns: 40 },
    )
  })

  test('what needs a node that was not sent is told so', async () => {
    const { root, blocks } = await treeOf(Array.from({ length: 60 }, (_, n) => [path(n), one]))
    const onlyRoot = new Map([...blocks].filter(([key]) => key === linkOf(root).key))
    const tree = new PartialTree(onlyRoot, linkOf(root))
    const reasons = new Set(Array.from({ length: 60 }, (_, n) => reason(() => tree.get(path(n)))))
    expect(reasons).toEqual(new Set(['none', 'missing-blocks']))
    expect(reason(() => new PartialTree(new Map(), linkOf(root)).get(path(1)))).toBe('missing-blocks')
  })

  // On one layer, as their hashes have it.
  const [first, second, third] = ['a.b.c/1', 'a.b.c/2', 'a.b.c/3'] as const
  const entry = (k: string, p = 0) => ({ k: Buffer.from(k), p, t: null, v: one })

  /** So many entries of a node on the lowest layer. */
  const wide = (count: number) =>
    Array.from({ length: 2_000 }, (_, n) => `x.y.z/${10_000 + n}`)
      .filter((key) => Buffer.from(hash('sha256', key, 'buffer')).readUInt8() >= 64)
      .slice(0, count)
      .map((key, index, keys) => {
        const before = keys[index - 1]?.split('') ?? []
        const prefix = before.findIndex((character, at) => character !== key[at])
        return entry(key.slice(Math.max(0, prefix)), Math.max(0, prefix))
      })
  /** As long a collection as there is, 317 bytes, and a record key that fills up to a length. */
  const long = (bytes: number) => `${`${'a'.repeat(63)}.`.repeat(4)}${'b'.repeat(61)}/${'x'.repeat(bytes - 318)}`

  test.each([
    { name: 'two keys', node: { l: null, e: [entry(first), entry('2', 6)] }, reason: 'none' },
    { name: 'keys out of order (J9)', node: { l: null, e: [entry(second), entry('1', 6)] }, reason: 'bad-mst' },
    { name: 'a key twice (J9)', node: { l: null, e: [entry(first), entry('', 7)] }, reason: 'bad-mst' },
    {
      name: 'a prefix that is too short (J9)',
      node: { l: null, e: [entry(first), entry('/2', 5)] },
      reason: 'bad-mst',
    },
    { name: 'a negative prefix (J9)', node: { l: null, e: [entry(first, -1)] }, reason: 'bad-mst' },
    { name: 'a prefix of nothing (J9)', node: { l: null, e: [entry(first, 3)] }, reason: 'bad-mst' },
    { name: 'a key that is no path (J9)', node: { l: null, e: [entry('nothing')] }, reason: 'bad-mst' },
    { name: 'a root with nothing but a subtree (J9)', node: { l: one, e: [] }, reason: 'bad-mst' },
    { name: 'an entry without a record', node: { l: null, e: [{ ...entry(first), v: null }] }, reason: 'bad-mst' },
    { name: 'a subtree that is no link', node: { l: 1, e: [entry(first)] }, reason: 'bad-mst' },
    { name: 'no list of entries', node: { l: null }, reason: 'bad-mst' },
    { name: 'no map', node: [], reason: 'bad-mst' },
    { name: '1,000 entries', node: { l: null, e: wide(1_000) }, reason: 'none' },
    { name: '1,001 entries', node: { l: null, e: wide(1_001) }, reason: 'bad-mst' },
    { name: 'a key of 830 bytes', node: { l: null, e: [entry(long(830))] }, reason: 'none' },
    { name: 'a key of 831 bytes', node: { l: null, e: [entry(long(831))] }, reason: 'bad-mst' },
  ])('a root with $name: $reason', async ({ node, reason: expected }) => {
    const bytes = Buffer.from(encode(node as never))
    const root = linkOf(await cidForCbor(bytes))
    expect(reason(() => new PartialTree(new Map([[root.key, bytes]]), root).get(third))).toBe(expected)
  })

  test('a key on the layer of another is refused (J9)', async () => {
    // Found by trying: the hash of this key begins with two zero bits, and that of the first one does not.
    const above = 'a.b.c/10'
    expect(
      (
        await treeOf(
          new Map([
            [first, one],
            [above, one],
          ]),
        )
      ).blocks.size,
    ).toBe(2)
    const bytes = Buffer.from(encode({ l: null, e: [entry(first), entry('0', 7)] }))
    const root = linkOf(await cidForCbor(bytes))
    expect(reason(() => new PartialTree(new Map([[root.key, bytes]]), root).get(third))).toBe('bad-mst')
  })

  test.each([
    { name: 'before', left: 'a.b.c/2', right: 'a.b.c/3', path: 'a.b.c/0', reason: 'bad-mst' },
    { name: 'after', left: 'a.b.c/0', right: 'a.b.c/1', path: 'a.b.c/12', reason: 'bad-mst' },
    { name: 'both', left: 'a.b.c/0', right: 'a.b.c/2', path: 'a.b.c/12', reason: 'none' },
  ])('a subtree has to lie where its keys belong: $name (J9)', async ({ left, right, path, reason: expected }) => {
    const blocks = new Map<string, Buffer>()
    const add = async (node: LexMap) => {
      const bytes = Buffer.from(encode(node))
      const cid = await cidForCbor(bytes)
      blocks.set(linkOf(cid).key, bytes)
      return cid
    }
    const l = await add({ l: null, e: [entry(left)] })
    const t = await add({ l: null, e: [entry(right)] })
    const root = linkOf(await add({ l, e: [{ ...entry('a.b.c/10'), t }] }))
    expect(reason(() => new PartialTree(blocks, root).get(path))).toBe(expected)
  })

  test('changes that the tree does not allow are refused', async () => {
    const { root, blocks } = await treeOf([[first, one]])
    const tree = () => new PartialTree(blocks, linkOf(root))
    expect(reason(() => tree().insert(first, linkOf(one).key))).toBe('bad-mst')
    expect(reason(() => tree().remove(second))).toBe('bad-mst')
    expect(reason(() => tree().replace(second, linkOf(one).key))).toBe('bad-mst')
  })
})
