import { describe, expect, test } from 'vitest'
import { checkCbor } from './check-cbor.ts'

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const lists = (levels: number): string => '81'.repeat(levels - 1) + '80'

describe('checkCbor', () => {
  test.each([
    { name: 'an empty map', hex: 'a0' },
    { name: 'sorted keys, the shorter first', hex: 'a3 6162 01 6163 02 626161 03' },
    { name: 'nested maps and lists', hex: 'a2 6161 82 a1 6178 f6 80 6162 a1 6161 f5' },
    { name: 'the largest integer', hex: '1b001fffffffffffff' },
    { name: 'the smallest integer', hex: '3b001ffffffffffffe' },
    { name: 'heads of every length', hex: '85 17 1818 190100 1a00010000 1b0000000100000000' },
    { name: 'a link', hex: `d82a 5825 00 01711220 ${'ab'.repeat(32)}` },
    { name: 'bytes', hex: '43 ff00ff' },
    { name: 'text beyond ASCII', hex: '62 c3bc' },
    { name: '64 levels (J8)', hex: lists(64) },
  ])('passes $name', ({ hex }) => expect(() => checkCbor(bytes(hex))).not.toThrow())

  test.each([
    { name: 'nothing', hex: '' },
    { name: 'a fraction, even a whole one (J2)', hex: 'fb3ff0000000000000' },
    { name: 'a short fraction (J2)', hex: 'f93c00' },
    { name: 'an integer beyond 2^53 - 1 (J2)', hex: '1b0020000000000000' },
    { name: 'an integer below -(2^53 - 1) (J2)', hex: '3b001fffffffffffff' },
    { name: 'undefined (J2)', hex: 'f7' },
    { name: 'a simple value', hex: 'f820' },
    { name: 'a list of indefinite length (J7)', hex: '9f01ff' },
    { name: 'a text of indefinite length (J7)', hex: '7f6161ff' },
    { name: 'unsorted keys (J7)', hex: 'a2 6162 01 6161 02' },
    { name: 'a longer key first (J7)', hex: 'a2 626161 01 6162 02' },
    { name: 'a key twice (J7)', hex: 'a2 6161 01 6161 02' },
    { name: 'a key that is a number', hex: 'a1 01 02' },
    { name: 'a head longer than needed (J7)', hex: '1817' },
    { name: 'a length longer than needed (J7)', hex: '790001 61' },
    { name: 'an unknown tag (J7)', hex: 'c1 00' },
    { name: 'a link without its zero', hex: `d82a 5824 01711220 ${'ab'.repeat(32)}` },
    { name: 'a link that is text', hex: 'd82a 6161' },
    { name: 'bytes left over (J7)', hex: '0000' },
    { name: 'text that is not UTF-8 (J5)', hex: '61ff' },
    { name: 'a lone surrogate (J5)', hex: '63eda080' },
    { name: 'the key __proto__ (J4)', hex: 'a1 695f5f70726f746f5f5f a0' },
    { name: 'a map cut short', hex: 'a2 6161 01' },
    { name: 'text cut short', hex: '6361' },
    { name: 'a container longer than the input', hex: '9b000fffffffffffff' },
    { name: '65 levels (J8)', hex: lists(65) },
    { name: 'depth that would overflow a stack (J8)', hex: lists(100_000) },
  ])('refuses $name', ({ hex }) =>
    expect(() => checkCbor(bytes(hex))).toThrow(expect.objectContaining({ reason: 'bad-cbor' })),
  )
})
