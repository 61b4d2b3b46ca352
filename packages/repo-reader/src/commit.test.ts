import { encode } from '@atproto/lex-cbor'
import { parseCid, type LexMap } from '@atproto/lex-data'
import { describe, expect, test } from 'vitest'
import { readCommit, unsignedCommit } from './commit.ts'
import { tidMs } from './tid.ts'

const data = parseCid('bafyreigtn62brtkskorw6gd3i37ctvcheylxy3bgi66xhvula277kaqieq')
const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const unsigned: LexMap = { did, version: 3, data, rev: '3lqjmnw2c2k2a', prev: null }
const sig = new Uint8Array(64).fill(7)

describe('readCommit', () => {
  test('gives the fields that are used', () => {
    const commit = readCommit(encode({ ...unsigned, sig }))
    expect(commit).toMatchObject({ did, rev: '3lqjmnw2c2k2a' })
    expect(String(commit.data)).toBe(String(data))
    expect(Buffer.from(commit.sig)).toEqual(Buffer.from(sig))
  })

  test.each<{ name: string; block: Uint8Array; reason: string }>([
    { name: 'version 2', block: encode({ ...unsigned, sig, version: 2 }), reason: 'bad-commit' },
    { name: 'no account', block: encode({ ...unsigned, sig, did: 1 }), reason: 'bad-commit' },
    { name: 'no revision', block: encode({ ...unsigned, sig, rev: null }), reason: 'bad-commit' },
    { name: 'no tree', block: encode({ ...unsigned, sig, data: 'x' }), reason: 'bad-commit' },
    { name: 'no signature', block: encode(unsigned), reason: 'bad-commit' },
    { name: 'a list', block: encode([]), reason: 'bad-commit' },
    { name: 'no CBOR', block: Buffer.from('ff', 'hex'), reason: 'bad-cbor' },
    {
      name: 'keys out of order (J7)',
      block: Buffer.from('a2616201616102', 'hex'),
      reason: 'bad-cbor',
    },
  ])('refuses one with $name', ({ block, reason }) =>
    expect(() => readCommit(block)).toThrow(expect.objectContaining({ reason })),
  )
})

describe('unsignedCommit', () => {
  test.each<{ name: string; fields: LexMap }>([
    { name: 'as they are', fields: unsigned },
    { name: 'with one that nobody knows', fields: { ...unsigned, future: { a: [1, data, 'x'] } } },
    { name: 'with keys before and after the signature', fields: { ...unsigned, a: 1, zzz: 2, sih: 3 } },
    { name: 'with 22 of them', fields: Object.fromEntries(Array.from({ length: 22 }, (_, n) => [`f${n}`, n])) },
  ])('gives the bytes that were signed, fields $name', ({ fields }) => {
    expect(Buffer.from(unsignedCommit(encode({ ...fields, sig })))).toEqual(Buffer.from(encode(fields)))
  })

  test('leaves out the signature of the commit alone, not one inside', () => {
    const fields = { ...unsigned, inner: { sig } }
    expect(Buffer.from(unsignedCommit(encode({ ...fields, sig })))).toEqual(Buffer.from(encode(fields)))
  })

  test.each([
    { name: 'no fields', block: encode({}) },
    { name: '24 fields', block: encode(Object.fromEntries(Array.from({ length: 24 }, (_, n) => [`f${n}`, n]))) },
    { name: 'a list', block: encode([1]) },
  ])('refuses $name', ({ block }) =>
    expect(() => unsignedCommit(block)).toThrow(expect.objectContaining({ reason: 'bad-commit' })),
  )
})

test('a TID counts microseconds', () => {
  expect(tidMs('2222222222222')).toBe(0)
  expect(tidMs('2222222223322')).toBe(0.033)
  expect(new Date(tidMs('3lqjmnw2c2k2a')).getUTCFullYear()).toBe(2025)
})
