import { encode } from '@atproto/lex-cbor'
import { parseCid, type LexValue } from '@atproto/lex-data'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readRecord } from './record.ts'

const cid = 'bafyreigtn62brtkskorw6gd3i37ctvcheylxy3bgi66xhvula277kaqieq'

/** The value that a record's JSON stands for. */
function valueOf(json: unknown): LexValue {
  if (Array.isArray(json)) return json.map(valueOf)
  if (typeof json !== 'object' || json === null) return json as LexValue
  const { $link, $bytes, ...more } = json as { $link?: unknown; $bytes?: unknown }
  if (typeof $link === 'string' && $bytes === undefined && Object.keys(more).length === 0) return parseCid($link)
  if (typeof $bytes === 'string' && $link === undefined && Object.keys(more).length === 0)
    return new Uint8Array(Buffer.from($bytes, 'base64'))
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, valueOf(value)]))
}

test('CBOR to JSON and back is the same bytes for every valid record (J1, J3)', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(parseCid(cid)),
    fc.constant({ $type: 'blob', ref: parseCid(cid), mimeType: 'image/png', size: 7 }),
    fc.constant({ cid, mimeType: 'image/png' }),
  )
  // The encoder takes that one for the prototype, and the other two would be read back as what they look like.
  const key = fc.string({ unit: 'grapheme' }).filter((name) => !['__proto__', '$link', '$bytes'].includes(name))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(key, value), (record) => {
      const block = encode(record as LexValue)
      const text = JSON.stringify(readRecord(block))
      expect(Buffer.from(encode(valueOf(JSON.parse(text)))).equals(block)).toBe(true)
      // Nor does another hop change the text (J14).
      expect(JSON.stringify(JSON.parse(text))).toBe(text)
    }),
    { numRuns: 200 },
  )
})

test.each([
  { name: 'bytes', value: new Uint8Array([251, 255, 254]), json: { $bytes: '+//+' } },
  { name: 'bytes of a length that base64 would pad', value: new Uint8Array([1]), json: { $bytes: 'AQ' } },
  { name: 'a legacy blob', value: { cid, mimeType: 'image/png' }, json: { cid, mimeType: 'image/png' } },
])('$name never become a list of numbers, nor fatal (J3)', ({ value, json }) =>
  expect(readRecord(encode({ value } as LexValue))).toEqual({ value: json }),
)
