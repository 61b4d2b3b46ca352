import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { Secp256k1Keypair } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { cidForCbor, type Cid } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile, readCar, verifyRepoCar } from '@atproto/repo'
import { readRecording } from '@millrace/dev-network'
import { readDidDocument } from '@millrace/identity'
import { describe, expect, test } from 'vitest'
import { addNode, did, keyOn, makeRepo, rev, signingKey, type RepoParts } from './testing/make-repo.ts'
import { streamEventCodec, type CreateEvent, type DeleteEvent } from '@millrace/stream-protocol'
import { textsOf } from './entry-chunk.ts'
import { LocalRepo } from './local-repo.ts'
import { invalidRepo, verifyRepo, type VerifiedRepo, type VerifyRepoOptions } from './verify-repo.ts'

const post = (text: string) => ({ $type: 'app.bsky.feed.post', text, createdAt: '2025-01-01T00:00:00.000Z' })
const posts = (count: number): RepoParts['records'] =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`app.bsky.feed.post/${String(n).padStart(4, '0')}`, post(`${n}`)]),
  )

async function verify(car: Uint8Array, options: Partial<VerifyRepoOptions> = {}): Promise<VerifiedRepo> {
  const account = { did, signingKey, ...options }
  try {
    return await verifyRepo(LocalRepo.of(car), account)
  } catch (error) {
    throw invalidRepo(account.did, error)
  }
}

/** What its entries say of each record. */
async function recordsOf(repo: VerifiedRepo): Promise<(CreateEvent | DeleteEvent)[]> {
  const records: (CreateEvent | DeleteEvent)[] = []
  for await (const chunk of repo.entries({ host: 'pds.example', time: '2025-01-01T00:00:00.000Z', run: 'one' }))
    for (const event of textsOf(chunk).map(streamEventCodec.decode))
      if (event.type === 'create' || event.type === 'delete') records.push(event)
  return records
}
const invalid = (reason: string): object => ({ name: 'InvalidRepoError', reason, did })

const fixture = path.join(import.meta.dirname, '../../../fixtures/network-basic')
const manifest = JSON.parse(await readFile(path.join(fixture, 'manifest.json'), 'utf8')) as {
  backfill: { repos: number; records: number }
}

test('every recorded repo verifies, and has the records that another implementation finds', async () => {
  const recording = await readRecording(fixture)
  let repos = 0
  let records = 0
  for (const { did, getRepo } of recording.repos.values()) {
    if (getRepo.car === undefined) continue
    const car = recording.cars.at(getRepo.car)!
    const { signingKey } = readDidDocument(recording.dids.get(did)?.docMultikey, did, { allowPrivateHosts: true })!
    const repo = await verify(car, { did, signingKey: signingKey! })
    const other = await verifyRepoCar(car, did)
    expect(repo.rev).toBe(other.commit.rev)
    expect(repo.commit).toBe(other.commit.cid.toString())
    expect((await recordsOf(repo)).map((event) => withCid(event))).toEqual(other.creates.map(withCid))
    repos++
    records += repo.records
  }
  expect({ repos, records }).toEqual({ repos: manifest.backfill.repos, records: manifest.backfill.records })
})

describe('verifyRepo', () => {
  test('gives commit, revision, tree and records in the order of the tree', async () => {
    const { car, commit, data } = await makeRepo({
      records: { 'a.b.c/z': post('1'), 'a.b.c/a': post('2'), 'a.b.b/x': post('3') },
    })
    const repo = await verify(car)
    expect(repo).toMatchObject({ did, rev, commit: commit.toString(), data: data.toString() })
    const records = await recordsOf(repo)
    expect(records.map(({ collection, rkey }) => `${collection}/${rkey}`)).toEqual(['a.b.b/x', 'a.b.c/a', 'a.b.c/z'])
    expect(records[0]).toMatchObject({ cid: String(await cidForCbor(encode(post('3')))), record: post('3') })
  })

  test('an empty repo holds', async () => {
    expect((await verify((await makeRepo()).car)).records).toBe(0)
  })

  test('two records may be the same block', async () => {
    const { car } = await makeRepo({ records: { 'a.b.c/1': post('same'), 'a.b.c/2': post('same') } })
    expect((await verify(car)).records).toBe(2)
  })

  test('further roots, duplicate and unrelated blocks are tolerated (B7)', async () => {
    const { car, commit } = await makeRepo({ records: posts(3)! })
    const { blocks } = await readCar(car)
    const stranger = encode({ hello: 'world' })
    const strangerCid = await cidForCbor(stranger)
    const section = (cid: Cid, bytes: Uint8Array): Buffer =>
      Buffer.concat([varint(cid.bytes.length + bytes.length), cid.bytes, bytes])
    const header = encode({ roots: [commit, strangerCid], version: 1 })
    const sections = blocks.entries().map(({ cid, bytes }) => section(cid, bytes))
    const twice = [...sections, ...sections, section(strangerCid, Buffer.from('not its content'))]
    // Of two blocks under one CID the first counts.
    twice.push(section(commit, Buffer.from('not its content')))
    const odd = Buffer.concat([varint(header.length), header, ...twice])
    expect((await verify(odd)).records).toBe(3)
  })

  test('a record that is no valid CBOR is not the affair of the repo', async () => {
    const { car } = await makeRepo({ records: { 'a.b.c/1': Buffer.from('fb3ff8000000000000', 'hex') } })
    expect((await verify(car)).records).toBe(1)
  })

  test.each([
    {
      name: 'another account (B7)',
      parts: { commit: { did: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' } },
      reason: 'wrong-did',
    },
    { name: 'version 2 (B7)', parts: { commit: { version: 2 } }, reason: 'bad-commit' },
    { name: 'no tree', parts: { commit: { data: 'x' } }, reason: 'bad-commit' },
    { name: 'a revision that is no TID (B7)', parts: { commit: { rev: 'zzzzzzzzzzzzz' } }, reason: 'bad-rev' },
    {
      name: 'another signature (B7)',
      parts: { sign: (sig: Uint8Array) => sig.with(5, sig.at(5)! ^ 1) },
      reason: 'bad-signature',
    },
    { name: 'a signature that is none', parts: { sign: () => new Uint8Array(3) }, reason: 'bad-signature' },
    { name: 'a signature in high-S form (B7)', parts: { sign: highS }, reason: 'bad-signature' },
  ] as { name: string; parts: RepoParts; reason: string }[])(
    'a commit with $name is refused',
    async ({ parts, reason }) => {
      const { car } = await makeRepo({ records: posts(2)!, ...parts })
      await expect(verify(car)).rejects.toMatchObject(invalid(reason))
    },
  )

  test('a commit signed by another key is refused (B7)', async () => {
    const other = await Secp256k1Keypair.create()
    const { car } = await makeRepo()
    await expect(verify(car, { signingKey: other.did() })).rejects.toMatchObject(invalid('bad-signature'))
    await expect(verify(car, { signingKey: 'did:key:zNothing' })).rejects.toMatchObject(invalid('bad-signature'))
  })

  test('a revision may be 5 minutes ahead of our clock, and no more (B7)', async () => {
    const { car } = await makeRepo()
    const time = timeOfRev(rev)
    expect(await verify(car, { now: time - 5 * 60_000 + 1 })).toMatchObject({ rev })
    await expect(verify(car, { now: time - 5 * 60_000 - 1 })).rejects.toMatchObject(invalid('future-rev'))
  })

  test('fields of the commit that we do not know are signed as well', async () => {
    expect(await verify((await makeRepo({ commit: { future: 'field' } })).car)).toMatchObject({ rev })
  })
})

describe('a file that was cut or changed (B8)', () => {
  test('is an error wherever it was cut, never a smaller repo', async () => {
    const { car } = await makeRepo({ records: posts(30)! })
    for (let size = 0; size < car.length; size += 37)
      await expect(verify(car.subarray(0, size))).rejects.toMatchObject({ name: 'InvalidRepoError' })
    const { blocks, roots } = await readCar(car)
    for (const left of blocks.entries()) {
      const rest = new BlockMap(blocks)
      rest.delete(left.cid)
      await expect(verify(await blocksToCarFile(roots.at(0)!, rest))).rejects.toMatchObject(invalid('missing-block'))
    }
  })

  test('is an error wherever a byte of a used block differs', async () => {
    const { car } = await makeRepo({ records: posts(5)! })
    for (let at = 60; at < car.length; at += 19)
      await expect(verify(car.with(at, car.at(at)! ^ 0x10))).rejects.toMatchObject({ name: 'InvalidRepoError' })
  })

  test.each([
    { name: 'nothing', car: '' },
    { name: 'text', car: Buffer.from('<html>').toString('hex') },
    { name: 'a length without end', car: 'ff'.repeat(20) },
    { name: 'no roots', car: '11a265726f6f7473806776657273696f6e01' },
  ])('$name is no CAR file', async ({ car }) => {
    await expect(verify(Buffer.from(car, 'hex'))).rejects.toMatchObject(invalid('bad-car'))
  })

  test('a block without a CID is none', async () => {
    const { car } = await makeRepo()
    await expect(verify(Buffer.concat([car, Buffer.from([1, 0])]))).rejects.toMatchObject(invalid('bad-car'))
  })

  test('a block beyond 2,000,000 bytes is refused', async () => {
    const sized = (size: number) => makeRepo({ records: { 'a.b.c/1': Buffer.alloc(size) } })
    expect((await verify((await sized(2_000_000)).car)).records).toBe(1)
    await expect(verify((await sized(2_000_001)).car)).rejects.toMatchObject(invalid('bad-car'))
  })
})

describe('a tree that is not the one of its records (J9)', async () => {
  const bytes = encode(post('x'))
  const value = await cidForCbor(bytes)
  const blocks = new BlockMap([[value, bytes]])
  const entry = (key: string, rest: object = {}) => ({ key, value, ...rest })
  // Keys by layer, as their hashes say.
  const [a0, b0, c0] = ['a.b.c/1', 'a.b.c/3', 'a.b.c/5'] as const
  const [d1, e2] = [keyOn(1, 'a.b.d'), keyOn(2, 'a.b.e')]
  const leaf = (...keys: string[]) =>
    addNode(
      blocks,
      null,
      keys.map((key) => entry(key)),
    )

  const trees: { [name: string]: () => Promise<Cid> } = {
    'unordered keys': () => leaf(b0, a0),
    'a key twice': () => leaf(a0, a0),
    'keys out of order between nodes': async () => addNode(blocks, await leaf(keyOn(0, 'a.b.z')), [entry(d1)]),
    'a key below its layer': async () => leaf(a0, d1),
    'a key above its layer': async () => addNode(blocks, await leaf(a0), [entry(d1), entry(keyOn(0, 'a.b.e'))]),
    'layers that fall by two': async () => addNode(blocks, await leaf(a0), [entry(e2)]),
    'a subtree below the lowest layer': async () => addNode(blocks, await leaf(a0), [entry(b0)]),
    'a negative prefix': () => addNode(blocks, null, [entry(a0), entry(b0, { prefix: -1 })]),
    'a prefix that is too short': () => addNode(blocks, null, [entry(a0), entry(b0, { prefix: 3 })]),
    'an empty subtree': async () => addNode(blocks, await leaf(), [entry(d1)]),
    'an empty root above a subtree': async () => addNode(blocks, await leaf(a0), []),
    'one node in two places': async () => {
      const child = await leaf(a0)
      return addNode(blocks, child, [entry(d1, { next: child })])
    },
    'a key that is no path': () => leaf('nothing'),
    'a collection that is no NSID': () => leaf('posts/1'),
    'a record key that is none': () => leaf('a.b.c/..'),
    'a key beyond 830 bytes': () => leaf(`a.b.c/${'x'.repeat(825)}`),
    'unknown fields': async () => {
      const node = encode({ l: null, e: [], more: 1 })
      const cid = await cidForCbor(node)
      blocks.set(cid, node)
      return cid
    },
    'more than 1,000 entries': () => leaf(...Array.from({ length: 1001 }, (_, n) => `a.b.c/${n}`)),
  }

  test.each(Object.entries(trees))('%s: refused', async (_, make) => {
    const data = await make()
    const { car } = await makeRepo({ blocks, data })
    await expect(verify(car)).rejects.toMatchObject(invalid('bad-tree'))
  })

  test('a chain of empty nodes is followed no further than to the lowest layer', async () => {
    let node = await leaf(a0)
    for (let level = 0; level < 100; level++) node = await addNode(blocks, node, [])
    const { car } = await makeRepo({ blocks, data: await addNode(blocks, node, [entry(d1)]) })
    await expect(verify(car)).rejects.toThrow('below the lowest layer')
  })

  test('layers without keys in between hold', async () => {
    const middle = await addNode(blocks, await leaf(a0, b0, c0), [])
    const { car } = await makeRepo({ blocks, data: await addNode(blocks, middle, [entry(e2)]) })
    expect((await recordsOf(await verify(car))).map(({ rkey }) => rkey)).toEqual(['1', '3', '5', e2.split('/')[1]])
  })

  test('a node that is not canonical CBOR is refused (J7)', async () => {
    const node = Buffer.from('a2616cf6616580', 'hex')
    const cid = await cidForCbor(node)
    const { car } = await makeRepo({ data: cid, blocks: new BlockMap([[cid, node]]) })
    await expect(verify(car)).rejects.toMatchObject(invalid('bad-block'))
  })
})

const withCid = ({ collection, rkey, ...rest }: { collection: string; rkey: string }): string =>
  `${collection}/${rkey} ${(rest as { cid?: unknown }).cid as string}`

/** Microseconds since 1970, with 10 bits of clock id below them. */
function timeOfRev(tid: string): number {
  const alphabet = '234567abcdefghijklmnopqrstuvwxyz'
  const value = tid.split('').reduce((sum, character) => sum * 32n + BigInt(alphabet.indexOf(character)), 0n)
  return Number((value >> 10n) / 1000n)
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 128))
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0))
  return Buffer.from(bytes)
}

/** The other of the two signatures that fit: s mirrored at the order of the curve. */
function highS(sig: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const s = order - BigInt(`0x${Buffer.from(sig.subarray(32)).toString('hex')}`)
  return Buffer.concat([sig.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
}
