import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, createCid, type Cid, type LexValue } from '@atproto/lex-data'
import { BlockMap } from '@atproto/repo'
import type { Rule } from '@millrace/repo-reader'
import { describe, expect, test } from 'vitest'
import { LocalRepo } from './local-repo.ts'
import { addNode, did, keyOn, makeRepo, signingKey, type RepoParts } from './testing/make-repo.ts'
import { verifyRepo } from './verify-repo.ts'

const block = encode({ text: 'a' })
const value = await cidForCbor(block)
const records = { 'a.b.c/1': { text: 'a' }, 'a.b.c/2': { text: 'b' } }
const [a0, d1, e2] = ['a.b.c/1', keyOn(1, 'a.b.d'), keyOn(2, 'a.b.e')]

/** The rule that a file is refused for; none when it is not. */
async function ruleOf(car: Uint8Array): Promise<string> {
  try {
    await verifyRepo(LocalRepo.of(car), { did, signingKey })
    return 'none'
  } catch (error) {
    const { rule, reason, cause } = error as { rule?: string; reason: string; cause?: { rule: string } }
    return rule ?? cause?.rule ?? reason
  }
}

const carOf = async (parts: RepoParts = { records }): Promise<Buffer> => Buffer.from((await makeRepo(parts)).car)

/** A repo whose tree is these nodes. */
async function withTree(make: (blocks: BlockMap) => Promise<Cid>): Promise<Buffer> {
  const blocks = new BlockMap([[value, block]])
  return carOf({ data: await make(blocks), blocks })
}
const entry = (key: string, rest: object = {}) => ({ key, value, ...rest })
const leaf = (blocks: BlockMap, ...keys: string[]): Promise<Cid> =>
  addNode(
    blocks,
    null,
    keys.map((key) => entry(key)),
  )

/** A repo whose root node is these bytes. */
const withNode = (hex: string): Promise<Buffer> =>
  withTree(async (blocks) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    const cid = await cidForCbor(bytes)
    blocks.set(cid, bytes)
    return cid
  })

/** A section after all others. */
async function andThen(hex: string): Promise<Buffer> {
  return Buffer.concat([await carOf(), Buffer.from(hex, 'hex')])
}

const nodeWith = (hex: string): Promise<Buffer> => withNode(`a2 6165 80 616c ${hex}`)

/** Each rule that a whole repo can break, broken once; what else is in these files holds. */
const broken: Record<
  // An operation, a commit's blocks and a record are read elsewhere. Files of more than 4 GiB, and keys whose hash begins
  // with 130 zeros, nobody has.
  Exclude<Rule, 'tree-operation' | 'car-hash' | 'record-size' | 'car-size' | 'tree-depth'>,
  () => Promise<Uint8Array>
> = {
  'car-header': () => Promise.resolve(Buffer.from('11a265726f6f7473806776657273696f6e01', 'hex')),
  'car-length': () => andThen('ff'.repeat(9)),
  'car-section-size': () => andThen('00'),
  'car-cid': () => andThen(`2501551213${'00'.repeat(33)}`),
  'car-end': async () => (await carOf()).subarray(0, -1),
  'block-hash': async () => {
    const car = await carOf()
    car[car.length - 1]! ^= 1
    return car
  },
  'block-missing': () => carOf({ records, without: (cid) => cid.equals(value) }),
  'cbor-end': () => withNode('a2 6165 81'),
  'cbor-trailing': () => withNode('a2 6165 80 616c f6 00'),
  'cbor-definite': () => withNode('a2 6165 9fff 616c f6'),
  'cbor-shortest': () => withNode('a2 6165 9800 616c f6'),
  'cbor-keys': () => withNode('a2 01 80 616c f6'),
  'cbor-key-order': () => withNode('a2 616c f6 6165 80'),
  'cbor-tag': () => nodeWith('c1 00'),
  'cbor-link': () => nodeWith('d82a 43 000102'),
  'cbor-simple': () => nodeWith('f7'),
  'cbor-utf8': () => nodeWith('61 ff'),
  'cbor-fraction': () => nodeWith('fb3ff8000000000000'),
  'cbor-integer': () => nodeWith('1b0020000000000000'),
  'cbor-depth': () => nodeWith(`${'81'.repeat(64)}80`),
  'commit-fields': () => carOf({ commit: { data: 'x' } }),
  'commit-version': () => carOf({ commit: { version: 2 } }),
  'tree-node': () => withTree((blocks) => addNodeOf(blocks, { l: null, e: [], more: 1 })),
  'tree-entries': () => withTree((blocks) => leaf(blocks, ...Array.from({ length: 1_001 }, (_, n) => `a.b.c/${n}`))),
  'tree-prefix': () => withTree((blocks) => addNode(blocks, null, [entry(a0), entry('a.b.c/3', { prefix: 3 })])),
  'tree-key': () => withTree((blocks) => leaf(blocks, 'nothing')),
  'tree-order': () => withTree((blocks) => leaf(blocks, 'a.b.c/3', a0)),
  'tree-layer': () => withTree(async (blocks) => addNode(blocks, await leaf(blocks, a0), [entry(e2)])),
  'tree-empty-node': () => withTree(async (blocks) => addNode(blocks, await leaf(blocks), [entry(d1)])),
}

async function addNodeOf(blocks: BlockMap, node: LexValue): Promise<Cid> {
  const bytes = encode(node)
  const cid = await cidForCbor(bytes)
  blocks.set(cid, bytes)
  return cid
}

describe('a repo that breaks one rule (J7, J8, J9, B7)', () => {
  test.each(Object.entries(broken))('%s: is refused for it by name', async (rule, make) => {
    expect(await ruleOf(await make())).toBe(rule)
  })

  test('and one that breaks none is not', async () => {
    expect(await ruleOf(await carOf())).toBe('none')
  })
})

describe('files that are meant to do harm', () => {
  test('cut at every boundary of its blocks, a file is no smaller repo (B8)', async () => {
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`a.b.c/${n}`, { text: `${n}` }]))
    const car = await carOf({ records: many })
    const boundaries: number[] = []
    for (let at = 0; at < car.length;) {
      boundaries.push(at)
      const isShort = car[at]! < 128
      at += isShort ? 1 + car[at]! : 2 + (car[at]! & 127) + (car[at + 1]! << 7)
    }
    expect(boundaries.length).toBeGreaterThan(60)
    for (const at of boundaries) expect(await ruleOf(car.subarray(0, at))).toBe(at === 0 ? 'car-end' : 'block-missing')
  })

  test('a tree of 3 KB with more ways through it than could be taken is refused at once (J9)', async () => {
    let layers = 0
    const car = await withTree(async (blocks) => {
      let below: Cid | null = null
      for (; layers < 9; layers++)
        below = await addNode(blocks, below, [entry(keyOn(layers, 'a.b.c'), { next: below })])
      return below!
    })
    expect(car.length).toBeLessThan(3_000)
    expect(await ruleOf(car)).toBe('tree-order')
  })

  test('a node that is said to be its own subtree is not the one that its CID names (J9)', async () => {
    const self = createCid(0x71, 0x12, hash('sha256', 'cycle', 'buffer'))
    const car = await withTree(async (blocks) => {
      blocks.set(self, encode({ l: self, e: [] } as LexValue))
      return self
    })
    expect(await ruleOf(car)).toBe('block-hash')
  })

  test('tens of thousands of duplicate and unrelated blocks change nothing (B7)', async () => {
    const car = await carOf()
    const section = (n: number): Buffer => {
      const content = Buffer.from(`unrelated ${n % 20_000}`)
      const cid = Buffer.concat([Buffer.from('01711220', 'hex'), hash('sha256', content, 'buffer')])
      return Buffer.concat([Buffer.from([cid.length + content.length]), cid, content])
    }
    const flooded = Buffer.concat([car, ...Array.from({ length: 40_000 }, (_, n) => section(n))])
    expect(await ruleOf(flooded)).toBe('none')
  })
})
