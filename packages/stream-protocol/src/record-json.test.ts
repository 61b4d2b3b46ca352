import { describe, expect, test } from 'vitest'
import { isRecordJson, recordJson } from './record-json.ts'

/** A class of the shape that multiformats gives its CIDs. */
class Link {
  readonly version = 1
  readonly code = 0x71
  readonly multihash = { code: 0x12, digest: new Uint8Array(32) }
  toString(): string {
    return 'bafyreib'
  }
}

/** Maps and lists in turn, `levels` of them. */
function nested(levels: number): object {
  let value: object = levels % 2 === 0 ? [] : {}
  for (let level = levels - 1; level > 0; level--) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

describe('recordJson', () => {
  test.each([
    { name: 'scalars stay', value: { a: 'x', b: 1, c: true, d: null, e: -9007199254740991 } },
    { name: 'empty containers stay', value: { a: [], b: {} } },
    { name: 'a legacy blob stays', value: { cid: 'bafkrei', mimeType: 'image/png' } },
    { name: 'a key named like a link stays when it is not alone', value: { a: { $link: 'x', b: 1 } } },
    { name: '64 levels pass (J8)', value: nested(64) },
  ])('$name', ({ value }) => expect(recordJson(value)).toStrictEqual(value))

  test('a CID becomes a link and bytes become base64 without padding (J3)', () => {
    expect(recordJson({ link: new Link(), list: [new Uint8Array([1, 2, 3, 4])], none: new Uint8Array() })).toEqual({
      link: { $link: 'bafyreib' },
      list: [{ $bytes: 'AQIDBA' }],
      none: { $bytes: '' },
    })
  })

  test('bytes that are a view of a larger buffer are only themselves', () => {
    expect(recordJson({ a: new Uint8Array([9, 1, 2, 9]).subarray(1, 3) })).toEqual({ a: { $bytes: 'AQI' } })
  })

  test('a blob keeps its type, reference, mime type and size (J3)', () => {
    const blob = { $type: 'blob', mimeType: 'image/png', size: 7 }
    expect(recordJson({ blob: { ...blob, ref: new Link() } })).toEqual({
      blob: { ...blob, ref: { $link: 'bafyreib' } },
    })
  })

  test('a __proto__ key is data and stays it (J4)', () => {
    const text = '{"a":{"__proto__":{"admin":true},"constructor":1,"toString":"x"}}'
    const json = recordJson(JSON.parse(text))
    expect(JSON.stringify(json)).toBe(text)
    expect((json['a'] as { admin?: unknown }).admin).toBeUndefined()
  })

  test('maps without a prototype are maps', () => {
    expect(recordJson(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 })
  })

  test.each([
    { name: 'a fraction (J2)', value: { a: 1.5 } },
    { name: 'minus zero', value: { a: -0 } },
    { name: 'NaN (J2)', value: { a: NaN } },
    { name: 'infinity', value: { a: [Infinity] } },
    { name: 'an integer beyond 2^53 - 1 (J2)', value: { a: 2 ** 53 } },
    { name: 'a BigInt (J2)', value: { a: 2n ** 60n } },
    { name: 'undefined (J2)', value: { a: undefined } },
    { name: 'a hole in a list', value: { a: Array.from({ length: 2 }) } },
    { name: 'a function', value: { a: () => 1 } },
    { name: 'an object of a class', value: { a: new Date(0) } },
    { name: 'a Map', value: { a: new Map() } },
    {
      name: 'a map whose prototype was set by its content (J4)',
      value: { a: Object.create({ admin: true }) as object },
    },
    { name: 'a map that would be read back as a link', value: { a: { $link: 'x' } } },
    { name: 'a map that would be read back as bytes', value: { a: [{ $bytes: 'AA' }] } },
    { name: '65 levels (J8)', value: nested(65) },
    { name: 'a list', value: [] },
    { name: 'null', value: null },
    { name: 'a CID', value: new Link() },
    { name: 'bytes', value: new Uint8Array(3) },
    { name: 'text', value: 'record' },
  ])('refuses $name', ({ value }) =>
    expect(() => recordJson(value)).toThrow(expect.objectContaining({ reason: 'unrepresentable-record' })),
  )
})

describe('isRecordJson', () => {
  const levels = (count: number, leaf: unknown): object => {
    let value = leaf
    for (let level = 0; level < count; level++) value = level % 2 === 0 ? [value] : { a: value }
    return { a: value }
  }

  test.each([
    {
      name: 'what recordJson makes',
      value: recordJson({ a: [1, 'x', true, null, new Uint8Array(2)], link: new Link() }),
    },
    { name: 'a __proto__ key (J4)', value: JSON.parse('{"__proto__":{"a":1}}') as object },
    { name: '64 levels (J8)', value: levels(63, 1) },
    { name: 'a link at the 64th', value: levels(63, { $link: 'bafyreib' }) },
    { name: 'bytes at the 64th', value: levels(63, { $bytes: 'AQI' }) },
  ])('takes $name', ({ value }) => expect(isRecordJson(value)).toBe(true))

  test.each([
    { name: 'a fraction (J2)', value: { a: [1.5] } },
    { name: 'minus zero', value: { a: -0 } },
    { name: 'an integer beyond 2^53 - 1 (J2)', value: { a: 2 ** 53 } },
    { name: '65 levels (J8)', value: levels(64, 1) },
    { name: 'an empty list at the 65th', value: levels(63, []) },
    { name: 'what only looks like a link at the 65th', value: levels(63, { $link: 'x', a: 1 }) },
    { name: '100,000 levels (J8)', value: levels(100_000, 1) },
    { name: 'a list', value: [] },
    { name: 'text', value: 'x' },
    { name: 'nothing', value: null },
  ])('refuses $name', ({ value }) => expect(isRecordJson(value)).toBe(false))
})
