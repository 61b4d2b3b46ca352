import { encode } from '@atproto/lex-cbor'
import { cidForCbor, parseCid, type Cid } from '@atproto/lex-data'
import { BlockMap, blocksToCarFile } from '@atproto/repo'
import { describe, expect, test } from 'vitest'
import { readCar, type ReadCarOptions } from './car.ts'
import { Link } from './link.ts'

const keyOf = (cid: Cid): string => Link.read(Buffer.from(cid.bytes))!.key
const section = (cid: Uint8Array, content: Uint8Array): Buffer => {
  const size = cid.length + content.length
  const length = size < 128 ? [size] : [(size & 127) | 128, size >> 7]
  return Buffer.concat([Buffer.from(length), cid, content])
}

const one = encode({ a: 1 })
const two = encode({ a: 2 })
const [oneCid, twoCid] = [await cidForCbor(one), await cidForCbor(two)]
const car = await blocksToCarFile(
  oneCid,
  new BlockMap([
    [oneCid, one],
    [twoCid, two],
  ]),
)
const withRoots = (roots: unknown, version = 1): Buffer => {
  const header = encode({ roots, version } as never)
  return Buffer.concat([Buffer.from([header.length]), header])
}
const reason = (bytes: Uint8Array, options?: ReadCarOptions): string => {
  try {
    readCar(bytes, options)
  } catch (error) {
    return (error as { reason: string }).reason
  }
  return 'none'
}

describe('readCar', () => {
  test('finds every block by the key of its link', () => {
    const { root, blocks } = readCar(car)
    expect(String(root)).toBe(String(oneCid))
    expect(blocks.get(root.key)).toEqual(Buffer.from(one))
    expect(blocks.get(keyOf(twoCid))).toEqual(Buffer.from(two))
    expect(blocks.get('another')).toBeUndefined()
    expect([blocks.has(root.key), blocks.has('another')]).toEqual([true, false])
  })

  test('is given a view of a larger buffer and looks at nothing else', () => {
    const larger = Buffer.concat([Buffer.from([1, 2, 3]), car, Buffer.from([4])])
    expect(String(readCar(larger.subarray(3, -1)).root)).toBe(String(oneCid))
  })

  test.each([
    { name: 'it is cut off', bytes: car.subarray(0, -1) },
    { name: 'a length has no end', bytes: Buffer.concat([car, Buffer.from('ff'.repeat(12), 'hex')]) },
    { name: 'a length is zero', bytes: Buffer.concat([car, Buffer.from([0])]) },
    { name: 'a block has no CID', bytes: Buffer.concat([car, Buffer.from([1, 0])]) },
    { name: 'a CID is cut off', bytes: Buffer.concat([car, section(oneCid.bytes.subarray(0, 35), Buffer.alloc(0))]) },
    { name: 'a CID is of version 0', bytes: Buffer.concat([car, section(oneCid.bytes.subarray(2), one)]) },
    { name: 'a CID has a codec of two bytes', bytes: Buffer.concat([car, section(oneCid.bytes.with(1, 0x81), one)]) },
    { name: 'a CID is of another hash', bytes: Buffer.concat([car, section(oneCid.bytes.with(2, 0x13), one)]) },
    { name: 'there is no root', bytes: withRoots([]) },
    { name: 'a root is no link', bytes: withRoots(['root']) },
    { name: 'it is of version 2', bytes: withRoots([oneCid], 2) },
    { name: 'its header is not CBOR', bytes: Buffer.from('02ffff', 'hex') },
    { name: 'it is empty', bytes: Buffer.alloc(0) },
  ])('is refused when $name', ({ bytes }) => {
    for (const hashes of ['all', 'none'] as const) expect(reason(bytes, { hashes })).toBe('bad-car')
  })

  test('further roots are tolerated, and the first one counts', () => {
    expect(String(readCar(withRoots([twoCid, oneCid])).root)).toBe(String(twoCid))
  })

  test('a content of another hash is refused, or not looked at, as told (B7, I18)', () => {
    const forged = Buffer.concat([withRoots([oneCid]), section(oneCid.bytes, one), section(twoCid.bytes, one)])
    expect(reason(forged)).toBe('bad-car')
    expect(readCar(forged, { hashes: 'none' }).blocks.get(keyOf(twoCid))).toEqual(Buffer.from(one))
  })

  test('of two blocks under one CID the first counts', () => {
    const twice = Buffer.concat([car, section(oneCid.bytes, two)])
    expect(readCar(twice, { hashes: 'none' }).blocks.get(keyOf(oneCid))).toEqual(Buffer.from(one))
  })

  test('a block may have 2,000,000 bytes, and no more', () => {
    const sized = (size: number): Buffer => {
      const total = size + 36
      const length = [(total & 127) | 128, ((total >> 7) & 127) | 128, total >> 14]
      return Buffer.concat([withRoots([oneCid]), Buffer.from(length), oneCid.bytes, Buffer.alloc(size)])
    }
    expect(reason(sized(2_000_000), { hashes: 'none' })).toBe('none')
    expect(reason(sized(2_000_001), { hashes: 'none' })).toBe('bad-car')
  })

  test('a link is read with whatever codec and hash it has', () => {
    const raw = parseCid('bafkreieq5jui4j25lacwomsqgjeswwl3y5zcdrresptwgmfylxo2depppq')
    const other = Buffer.from('015501021122', 'hex')
    const link = Link.read(Buffer.from(raw.bytes))
    expect([String(link), link?.code, link?.multihash.code, link?.multihash.digest.length]).toEqual([
      String(raw),
      0x55,
      0x12,
      32,
    ])
    expect(Link.read(other)?.multihash).toEqual({ code: 1, digest: Buffer.from([0x11, 0x22]) })
    expect(Link.read(other.subarray(0, -1))).toBeUndefined()
  })
})
