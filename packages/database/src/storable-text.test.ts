import { assert, nat, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { cutToBytes, storableJson, storableText } from './storable-text.ts'

test.each([
  { name: 'ordinary text stays', text: 'héllo 🦋', stored: 'héllo 🦋' },
  { name: 'U+0000 is replaced (J5)', text: 'a\u0000b\u0000', stored: 'a\uFFFDb\uFFFD' },
  { name: 'half of a pair is replaced (J5)', text: '\uD83E!', stored: '\uFFFD!' },
  { name: 'a pair stays', text: '\uD83E\uDD8B', stored: '🦋' },
])('$name', ({ text, stored }) => expect(storableText(text)).toBe(stored))

test.each([
  { name: 'texts without any of it', value: ['héllo 🦋', 1, null, { a: 'b' }] },
  { name: 'a backslash before a u', value: ['\\u0000', '\\\\ud800'] },
])('JSON of $name stays', ({ value }) => expect(storableJson(JSON.stringify(value))).toBe(JSON.stringify(value)))

test('in JSON they are replaced wherever they stand, keys included (J5)', () => {
  const value = { 'a\u0000': ['b\uD83E', { c: ['\u0000', '\\u0000'] }], d: 1 }
  expect(JSON.parse(storableJson(JSON.stringify(value)))).toEqual({
    'a\uFFFD': ['b\uFFFD', { c: ['\uFFFD', '\\u0000'] }],
    d: 1,
  })
})

test.each([
  { text: 'abc', bytes: 3, cut: 'abc' },
  { text: 'abcd', bytes: 3, cut: 'abc' },
  { text: 'aé', bytes: 2, cut: 'a' },
  { text: '🦋🦋', bytes: 7, cut: '🦋' },
  { text: '🦋', bytes: 3, cut: '' },
  { text: '', bytes: 0, cut: '' },
])('$text has no more than $bytes bytes as $cut', ({ text, bytes, cut }) => expect(cutToBytes(text, bytes)).toBe(cut))

test('a cut is a beginning, short enough, and one more character would be too many', () => {
  assert(
    property(string({ unit: 'grapheme' }), nat(40), (text, maxBytes) => {
      const cut = cutToBytes(text, maxBytes)
      const next = String.fromCodePoint(text.codePointAt(cut.length) ?? 0)
      expect(text.startsWith(cut)).toBe(true)
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(maxBytes)
      if (cut !== text) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(maxBytes)
    }),
  )
})
