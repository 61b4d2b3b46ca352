import { jsonToLex, Lexicons } from '@atproto/lexicon'
import type { RecordJson } from '@millrace/stream-protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sureCheck } from './sure-check.ts'
import { cidOf } from './testing/index.ts'

const COLLECTION = 'test.millrace.everything'
const text = <F extends string>(format: F) => ({ type: 'string', format }) as const

/** A record with something of every kind that lexicons know. */
const lexicons = new Lexicons([
  {
    lexicon: 1,
    id: COLLECTION,
    defs: {
      main: {
        type: 'record',
        key: 'tid',
        record: {
          type: 'object',
          required: ['name', 'createdAt'],
          nullable: ['title'],
          properties: {
            name: { type: 'string', maxLength: 30, maxGraphemes: 10 },
            title: { type: 'string', minLength: 1, maxLength: 9 },
            mood: { type: 'string', enum: ['glad', 'sad'] },
            kind: { type: 'string', const: 'thing' },
            tone: { type: 'string', default: 'plain' },
            count: { type: 'integer', minimum: 0, maximum: 9 },
            level: { type: 'integer', enum: [1, 2] },
            isGood: { type: 'boolean' },
            isNew: { type: 'boolean', default: true },
            createdAt: text('datetime'),
            subject: text('at-uri'),
            cid: text('cid'),
            did: text('did'),
            page: text('uri'),
            handle: text('handle'),
            langs: { type: 'array', minLength: 1, maxLength: 2, items: text('language') },
            parent: { type: 'ref', ref: '#node' },
            embed: { type: 'union', refs: ['#node', '#leaf', 'test.millrace.other'] },
            closed: { type: 'union', closed: true, refs: ['#leaf'] },
            picture: { type: 'blob' },
            link: { type: 'cid-link' },
            bytes: { type: 'bytes', maxLength: 10 },
            anything: { type: 'unknown' },
          },
        },
      },
      node: {
        type: 'object',
        required: ['label'],
        properties: {
          label: { type: 'string', maxLength: 12 },
          below: { type: 'array', items: { type: 'ref', ref: '#node' } },
        },
      },
      leaf: { type: 'object', properties: { size: { type: 'integer' } } },
    },
  },
  {
    lexicon: 1,
    id: 'test.millrace.other',
    defs: { main: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
  },
])
const isSure = sureCheck(lexicons, COLLECTION)

const uri = 'at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3m2qrrwhlro22'
const cid = cidOf('something')
const plain = { $type: COLLECTION, name: 'a name', createdAt: '2026-01-15T10:00:00.000Z' }

describe('records as they mostly are need no more', () => {
  test.each<[string, RecordJson]>([
    ['little', plain],
    [
      'references',
      {
        ...plain,
        subject: uri,
        cid,
        did: 'did:web:example.com',
        page: 'https://example.com/a?b=ö#c'.replace('ö', 'o'),
      },
    ],
    ['languages', { ...plain, langs: ['en', 'pt-BR'] }],
    ['objects within objects', { ...plain, parent: { label: 'a', below: [{ label: 'b', below: [] }] } }],
    ['what is of a known kind', { ...plain, embed: { $type: 'test.millrace.other', name: 'a' } }],
    ['what is of an unknown kind', { ...plain, embed: { $type: 'test.millrace.unknown#thing', odd: [1.5] } }],
    ['null where it may be', { ...plain, title: null }],
    ['fields of other makers', { ...plain, more: [1, { deep: null }], 'with space': true }],
  ])('%s', (_name, json) => expect(isSure({ tone: 'plain', isNew: true, ...json })).toBe(true))
})

/** Values that mean something special, or nothing, to one check or the other. */
const odd: unknown[] = [
  null,
  -1,
  10,
  1.5,
  2 ** 53,
  '',
  '\ud800',
  [],
  {},
  [1],
  { label: 'a', constructor: 1, toString: 'b' },
  JSON.parse('{"label":"a","__proto__":{"label":1}}'),
  { $type: 1 },
  { $type: 'a#b#c' },
  { $type: 'blob', ref: 'nothing', size: 1 },
  { $type: 'blob', ref: { $link: cid }, mimeType: 'a/b', size: 1 },
  { cid, mimeType: 'a/b' },
  { cid },
  { $link: cid },
  { $link: 'nonsense' },
  { $bytes: 'AAAA' },
  { '/': 'a', bytes: 'a' },
]
const anyText = fc.string({ unit: 'grapheme', maxLength: 40 })
const label = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 13 }), fc.constantFrom('ö'.repeat(6), 'ö'.repeat(7)))
const node = fc.record({ label, below: fc.array(fc.record({ label }), { maxLength: 2 }) }, { requiredKeys: [] })

/** For each field values around the border of what it takes. */
const near: Record<string, fc.Arbitrary<unknown>> = {
  name: fc.oneof(anyText, fc.constantFrom('abcdefghij', 'abcdefghijk', '👩‍👩‍👧‍👦'.repeat(2), 'ᚠ'.repeat(10))),
  title: fc.string({ maxLength: 10 }),
  mood: fc.constantFrom('glad', 'sad', 'so-so'),
  kind: fc.constantFrom('thing', 'other'),
  tone: fc.constantFrom('plain', undefined),
  count: fc.integer({ min: -1, max: 10 }),
  level: fc.integer({ min: 0, max: 3 }),
  isGood: fc.boolean(),
  isNew: fc.constantFrom(true, undefined),
  createdAt: fc.oneof(
    fc.stringMatching(
      /^(0000|19[0-9]{2}|20[0-9]{2})-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,10})?(Z|\+01:00)?$/,
    ),
    fc.stringMatching(/^20[0-9]{2}-(0[1-9]|1[0-3])-(28|29|30|31|32)T(23|24):(59|60):(59|60)Z$/),
  ),
  subject: fc.stringMatching(
    /^at:\/\/did:plc:[a-z1-8]{24}\/[a-z0-9]{1,3}(\.[a-zA-Z0-9-]{1,3}){1,3}\/[a-zA-Z0-9._~:-]{1,3}\/?$/,
  ),
  cid: fc.stringMatching(/^baf(yrei|krei)[a-j][a-z2-7]{49,51}$/),
  did: fc.stringMatching(/^did:[a-z]{1,3}:[a-z:%.]{1,3}$/),
  page: fc.stringMatching(/^https?:\/\/[a-zA-Z./ -]{0,4}$/),
  handle: fc.constantFrom('alice.test', 'alice'),
  langs: fc.array(fc.stringMatching(/^[a-z]{1,4}(-[A-Z]{1,3})?$/), { maxLength: 3 }),
  parent: node,
  embed: fc.oneof(
    node.map((fields) => ({ ...fields, $type: `${COLLECTION}#node` })),
    node.map((fields) => ({ ...fields, $type: `lex:${COLLECTION}#node` })),
    fc.record({
      $type: fc.constantFrom('test.millrace.other', 'test.millrace.other#main', 'test.millrace.unknown'),
      name: fc.constantFrom('a', 1),
    }),
  ),
  closed: fc.constantFrom({ $type: `${COLLECTION}#leaf`, size: 1 }, { $type: 'test.millrace.other', name: 'a' }),
  anything: fc.jsonValue({ maxDepth: 2 }),
  other: fc.jsonValue({ maxDepth: 2 }),
}
const record = fc.record(
  Object.fromEntries(
    Object.entries(near).map(([name, values]) => [
      name,
      fc.oneof({ weight: 9, arbitrary: values }, { weight: 1, arbitrary: fc.constantFrom(...odd) }),
    ]),
  ),
)

test('what it is sure of, the full check takes as it is', { timeout: 120_000 }, () => {
  let sure = 0
  const some = fc.tuple(record, fc.subarray(Object.keys(near), { minLength: 1, maxLength: 3 }))
  fc.assert(
    fc.property(some, ([fields, names]) => {
      const chosen = Object.fromEntries(names.map((name) => [name, fields[name]]))
      const json = { tone: 'plain', isNew: true, ...plain, ...chosen } as RecordJson
      if (!isSure(json)) return
      sure += 1
      expect(lexicons.validate(COLLECTION, jsonToLex(json))).toEqual({ success: true, value: json })
    }),
    { numRuns: 10_000, seed: 20260115 },
  )
  expect(sure).toBeGreaterThan(1_000)
})
