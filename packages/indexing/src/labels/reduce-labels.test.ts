import type { Label, LabelEvent } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { reduceLabels } from './reduce-labels.ts'

const src = 'did:plc:labeler'
const uri = 'at://did:plc:a/app.bsky.feed.post/1'
const at = (second: number): string => `2026-01-15T12:00:${String(second).padStart(2, '0')}.000Z`
const label = (fields: Partial<Label>, seq?: number): LabelEvent => ({
  type: 'label',
  label: { src, uri, val: 'spam', cts: at(0), ...fields },
  ...(seq !== undefined && { seq }),
})
const rows = (...events: LabelEvent[]) =>
  reduceLabels(events).rows.map(({ cid, val, neg, cts }) => [val, cid, neg, cts.slice(17, 19)])

test('a label that says no more than it must is one that holds, for every version and without end (L4)', () => {
  expect(reduceLabels([label({})])).toEqual({
    rows: [{ src, uri, cid: '', val: 'spam', neg: false, cts: at(0), exp: null }],
    negations: [{ src, uri, val: 'spam', cts: null }],
  })
})

describe('the newest of a batch is what is left (L2, L11)', () => {
  test.each([
    ['a later time', [label({ cts: at(2), neg: true }), label({ cts: at(1) })], [['spam', '', true, '02']]],
    ['the same time, a later number', [label({ neg: true }, 2), label({}, 1)], [['spam', '', true, '00']]],
    ['the same time and number, later in the stream', [label({}), label({ neg: true })], [['spam', '', true, '00']]],
    [
      'times in other forms',
      [label({ cts: '2026-01-15T12:00:01Z' }), label({ cts: '2026-01-15T13:00:00.5+01:00', neg: true })],
      [['spam', '', false, '01']],
    ],
    [
      'labels of other values and subjects are others',
      [label({ val: 'rude' }), label({ neg: true, cts: at(1) })],
      [
        ['rude', '', false, '00'],
        ['spam', '', true, '01'],
      ],
    ],
  ])('%s', (_name, events, expected) => expect(rows(...events)).toEqual(expected))
})

test('of one time, what takes a label back counts, whatever their numbers', () => {
  expect(rows(label({ neg: true }, 1), label({}, 2))).toEqual([['spam', '', true, '00']])
})

test('every label that a batch is about comes with when it was last taken back (L1)', () => {
  const events = [
    label({ neg: true, cts: at(1) }),
    label({ cid: 'c2', neg: true, cts: at(3) }),
    label({ cid: 'c1', cts: at(4) }),
    label({ val: 'rude' }),
  ]
  expect(reduceLabels(events).negations).toEqual([
    { src, uri, val: 'rude', cts: null },
    { src, uri, val: 'spam', cts: at(3) },
  ])
})

test('an end that cannot be read is none, and one that can has the one form (L5)', () => {
  const [none, some] = reduceLabels([
    label({ val: 'a', exp: 'soon' }),
    label({ val: 'b', exp: '2027-01-01T00:00:00Z' }),
  ]).rows
  expect([none!.exp, some!.exp]).toEqual([null, '2027-01-01T00:00:00.000Z'])
})
