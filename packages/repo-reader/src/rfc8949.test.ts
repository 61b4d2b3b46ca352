import { decode } from '@atproto/lex-cbor'
import { describe, expect, test } from 'vitest'
import { decodeCbor } from './cbor.ts'

// The examples of RFC 8949, Appendix A (https://www.rfc-editor.org/rfc/rfc8949#appendix-A), all of them: those that the
// data model has are read, and the others are refused by the rule that keeps them out of it.

const read: { hex: string; value: unknown }[] = [
  { hex: '00', value: 0 },
  { hex: '01', value: 1 },
  { hex: '0a', value: 10 },
  { hex: '17', value: 23 },
  { hex: '1818', value: 24 },
  { hex: '1819', value: 25 },
  { hex: '1864', value: 100 },
  { hex: '1903e8', value: 1000 },
  { hex: '1a000f4240', value: 1000000 },
  { hex: '1b000000e8d4a51000', value: 1000000000000 },
  { hex: '20', value: -1 },
  { hex: '29', value: -10 },
  { hex: '3863', value: -100 },
  { hex: '3903e7', value: -1000 },
  { hex: 'f4', value: false },
  { hex: 'f5', value: true },
  { hex: 'f6', value: null },
  { hex: '40', value: Buffer.from('', 'hex') },
  { hex: '4401020304', value: Buffer.from('01020304', 'hex') },
  { hex: '60', value: '' },
  { hex: '6161', value: 'a' },
  { hex: '6449455446', value: 'IETF' },
  { hex: '62225c', value: '"\\' },
  { hex: '62c3bc', value: 'ü' },
  { hex: '63e6b0b4', value: '水' },
  { hex: '64f0908591', value: '𐅑' },
  { hex: '80', value: [] },
  { hex: '83010203', value: [1, 2, 3] },
  { hex: '8301820203820405', value: [1, [2, 3], [4, 5]] },
  {
    hex: '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
    value: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  },
  { hex: 'a0', value: {} },
  { hex: 'a26161016162820203', value: { a: 1, b: [2, 3] } },
  { hex: '826161a161626163', value: ['a', { b: 'c' }] },
  { hex: 'a56161614161626142616361436164614461656145', value: { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' } },
]

const refused: { what: string; rule: string; examples: string[] }[] = [
  {
    what: 'integers beyond 2^53 - 1 (J2)',
    rule: 'cbor-integer',
    examples: ['1bffffffffffffffff', '3bffffffffffffffff'],
  },
  {
    what: 'tags but that of links (J7)',
    rule: 'cbor-tag',
    examples: [
      'c249010000000000000000',
      'c349010000000000000000',
      'c074323031332d30332d32315432303a30343a30305a',
      'c11a514b67b0',
      'c1fb41d452d9ec200000',
      'd74401020304',
      'd818456449455446',
      'd82076687474703a2f2f7777772e6578616d706c652e636f6d',
    ],
  },
  {
    what: 'fractions, infinities and NaN (J2)',
    rule: 'cbor-fraction',
    examples: [
      'f90000',
      'f98000',
      'f93c00',
      'fb3ff199999999999a',
      'f93e00',
      'f97bff',
      'fa47c35000',
      'fa7f7fffff',
      'fb7e37e43c8800759c',
      'f90001',
      'f90400',
      'f9c400',
      'fbc010666666666666',
      'f97c00',
      'f97e00',
      'f9fc00',
      'fa7f800000',
      'fa7fc00000',
      'faff800000',
      'fb7ff0000000000000',
      'fb7ff8000000000000',
      'fbfff0000000000000',
    ],
  },
  { what: 'simple values, and undefined (J2)', rule: 'cbor-simple', examples: ['f7', 'f0', 'f818', 'f8ff'] },
  { what: 'keys that are no text (J7)', rule: 'cbor-keys', examples: ['a201020304'] },
  {
    what: 'indefinite lengths (J7)',
    rule: 'cbor-definite',
    examples: [
      '5f42010243030405ff',
      '7f657374726561646d696e67ff',
      '9fff',
      '9f018202039f0405ffff',
      '9f01820203820405ff',
      '83018202039f0405ff',
      '83019f0203ff820405',
      '9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff',
      'bf61610161629f0203ffff',
      '826161bf61626163ff',
      'bf6346756ef563416d7421ff',
    ],
  },
]

describe('of the examples of RFC 8949', () => {
  test.each(read)('$hex is read as it is written there, and by the reference', ({ hex, value }) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(decodeCbor(bytes)).toEqual(value)
    expect(decode(bytes)).toEqual(value instanceof Uint8Array ? new Uint8Array(value) : value)
  })

  test.each(refused)('$what are refused', ({ rule, examples }) => {
    for (const hex of examples)
      expect(() => decodeCbor(Buffer.from(hex, 'hex')), hex).toThrow(expect.objectContaining({ rule }))
  })
})
