import { hash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import { createCid, type Cid } from '@atproto/lex-data'
import { describe, expect, test } from 'vitest'
import { CarSegments, SEGMENT_BYTES } from './car-segments.ts'
import { Link } from './link.ts'
import { Slab } from './slab.ts'
import { varint } from './testing/varint.ts'

const cidOf = (block: Uint8Array): Cid => createCid(0x71, 0x12, hash('sha256', block, 'buffer'))
const linkOf = (block: Uint8Array): Link => Link.read(Buffer.from(cidOf(block).bytes))!
const section = (cid: Uint8Array, content: Uint8Array): Buffer =>
  Buffer.concat([varint(cid.length + content.length), cid, content])
const header = (root: Uint8Array): Buffer => {
  const bytes = encode({ version: 1, roots: [cidOf(root)] })
  return Buffer.concat([varint(bytes.length), bytes])
}
const carOf = (...blocks: Uint8Array[]): Buffer =>
  Buffer.concat([header(blocks[0]!), ...blocks.map((block) => section(cidOf(block).bytes, block))])
const ruleOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as { rule: string }).rule
  }
  return 'none'
}

const one = Buffer.from('one')
const two = Buffer.from('two')

/** The segments that a file is cut into when it arrives in parts of a size. */
function cut(car: Buffer, size: number, expectedBytes?: number): Buffer[] {
  const segments: Buffer[] = []
  const cutter = new CarSegments({ onSegment: (segment) => void segments.push(segment), expectedBytes })
  for (let at = 0; at < car.length; at += size) cutter.write(car.subarray(at, at + size))
  cutter.end()
  return segments
}

describe('CarSegments', () => {
  const blocks = Array.from({ length: 2_000 }, (_, n) => Buffer.alloc(n * 10, n))
  const car = carOf(...blocks)

  test.each([1_000_003, 65_536, car.length])('cuts between sections, whatever comes in %d bytes', (size) => {
    const segments = cut(car, size)
    expect(Buffer.concat(segments).equals(car)).toBe(true)
    expect(segments.length).toBeGreaterThan(4)
    const slab = new Slab()
    for (const segment of segments) slab.add(segment)
    expect(blocks.every((block) => slab.get(linkOf(block))?.equals(block))).toBe(true)
    expect(slab.bytes).toBe(car.length)
  })

  test('byte by byte, and with a size that is a lie, too', () => {
    const small = carOf(one, two)
    for (const expected of [undefined, 0, 1, 1e12]) expect(cut(small, 1, expected)).toEqual([small])
  })

  test('gives out memory of its own, a segment at most as large as it says', () => {
    const segments = cut(car, 65_536)
    expect(new Set([car.buffer, ...segments.map(({ buffer }) => buffer)]).size).toBe(segments.length + 1)
    for (const segment of segments) expect(segment.length).toBeLessThanOrEqual(SEGMENT_BYTES)
  })

  test.each([
    { name: 'a page', bytes: Buffer.from(`<html>${' '.repeat(60)}`), rule: 'car-header' },
    { name: 'a length without an end', bytes: Buffer.alloc(9, 0xff), rule: 'car-length' },
    {
      name: 'a section that is too large',
      bytes: Buffer.concat([header(one), varint(2_000_037)]),
      rule: 'car-section-size',
    },
    { name: 'an empty section', bytes: Buffer.concat([header(one), varint(0)]), rule: 'car-section-size' },
    {
      name: 'a CID of another hash',
      bytes: Buffer.concat([header(one), section(cidOf(one).bytes.with(2, 0x13), one)]),
      rule: 'car-cid',
    },
  ])('refuses $name with the bytes that show it, before more comes', ({ bytes, rule }) => {
    const cutter = new CarSegments({ onSegment: () => undefined })
    expect(ruleOf(() => cutter.write(bytes))).toBe(rule)
  })

  test('a file that ends within a section is refused, and one that ends between two is not, here (B8)', () => {
    const car = carOf(one, two)
    const boundaries = [header(one).length, car.length - section(cidOf(two).bytes, two).length, car.length]
    for (let size = 0; size <= car.length; size++)
      expect(ruleOf(() => cut(car.subarray(0, size), 7))).toBe(boundaries.includes(size) ? 'none' : 'car-end')
  })
})

describe('Slab', () => {
  test('finds blocks by their CID, wherever that stands', () => {
    const slab = Slab.of(carOf(one, two))
    const found = { segment: one, start: 0, end: 0 }
    const place = Buffer.concat([Buffer.from('xx'), cidOf(two).bytes])
    expect(slab.find(place, 2, found)).toBe(true)
    expect(String(found.segment.subarray(found.start, found.end))).toBe('two')
    expect(String(slab.root)).toBe(String(cidOf(one)))
    expect(slab.get(linkOf(Buffer.from('three')))).toBeUndefined()
  })

  test('a forged block is never found, and said to be one; the true one beside it counts (B7)', () => {
    const forged = Slab.of(Buffer.concat([carOf(one), section(cidOf(two).bytes, one)]))
    expect(forged.get(linkOf(two))).toBeUndefined()
    expect(ruleOf(() => forged.failMissing(linkOf(two), 'block'))).toBe('block-hash')
    expect(ruleOf(() => forged.failMissing(linkOf(Buffer.from('three')), 'block'))).toBe('block-missing')
    const both = Slab.of(Buffer.concat([carOf(one), section(cidOf(two).bytes, one), section(cidOf(two).bytes, two)]))
    expect(both.get(linkOf(two))).toEqual(two)
  })

  test('duplicate blocks take a place once', () => {
    const slab = Slab.of(carOf(...Array.from({ length: 1_000 }, () => one)))
    expect(slab.get(linkOf(one))).toEqual(one)
  })

  test('what is disposed of gives back its memory, and has nothing any more', () => {
    const segments: Buffer<ArrayBuffer>[] = []
    const cutter = new CarSegments({ onSegment: (segment) => segments.push(segment) })
    cutter.write(carOf(one))
    cutter.end()
    const slab = new Slab()
    slab.add(segments[0]!)
    slab[Symbol.dispose]()
    expect(segments[0]!.buffer.detached).toBe(true)
    expect(slab.get(linkOf(one))).toBeUndefined()
  })

  test('a segment that is cut, or larger than one, is refused', () => {
    expect(ruleOf(() => new Slab().add(carOf(one).subarray(0, -1)))).toBe('car-end')
    expect(ruleOf(() => new Slab().add(Buffer.alloc(SEGMENT_BYTES + 1)))).toBe('car-size')
    expect(ruleOf(() => new Slab().root)).toBe('car-end')
  })
})
