import type { Label, LabelEvent } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { reduceLabels } from './reduce-labels.ts'

const src = 'did:plc:labeler'
const uri = 'at://did:plc:a/app.bsky.feed.post/1'
const key = { src, uri, val: 'spam' }
const at = (second: number): string => `2026-01-15T12:00:${String(second).padStart(2, '0')}.000Z`
const instantAt = (second: number): string => at(second).replace('Z', '000000Z')
const label = (fields: Partial<Label>, place: Omit<LabelEvent, 'type' | 'label'> = {}): LabelEvent => ({
  type: 'label',
  label: { ...key, cts: at(0), ...fields },
  ...place,
})

test('a label that says no more than it must is one that holds, for every version and without end (L4)', () => {
  expect(reduceLabels([label({})])).toEqual({
    made: [{ ...key, cid: '', cts: instantAt(0), host: '', epoch: -1, seq: 0, exp: null }],
    negations: [],
    negatedCids: [],
    tooLong: [],
  })
})

test('its place is its number at a host; entries of other services have none', () => {
  expect(reduceLabels([label({}, { host: 'mod.test', seq: 7 })]).made).toMatchObject([
    { host: 'mod.test', epoch: 0, seq: 7 },
  ])
  expect(reduceLabels([label({}, { host: 'mod.test', seq: 7, epoch: 2 })]).made).toMatchObject([{ epoch: 2 }])
  expect(reduceLabels([label({}, { host: 'mod.test' })]).made).toMatchObject([{ host: '', epoch: -1, seq: 0 }])
})

describe('of the labels of one row the newest is left (L2, L11)', () => {
  const made = (...events: LabelEvent[]) =>
    reduceLabels(events).made.map(({ val, cid, cts, seq }) => [val, cid, cts.slice(17, 24), seq])

  test.each<[string, LabelEvent[], unknown[]]>([
    ['the later time', [label({ cts: at(2) }), label({ cts: at(1) })], [['spam', '', '02.0000', 0]]],
    ['the same time, the higher number', [label({}, { seq: 2 }), label({}, { seq: 1 })], [['spam', '', '00.0000', 2]]],
    [
      'times in other forms, compared as instants',
      [label({ cts: '2026-01-15T12:00:01Z' }), label({ cts: '2026-01-15T13:00:00.9999+01:00' })],
      [['spam', '', '01.0000', 0]],
    ],
    [
      'times that differ by less than a millisecond',
      [label({ cts: '2026-01-15T12:00:00.0009Z' }), label({ cts: '2026-01-15T12:00:00.0001Z' })],
      [['spam', '', '00.0009', 0]],
    ],
    [
      'other values and versions are others',
      [label({ val: 'rude' }), label({ cid: 'c1' }), label({})],
      [
        ['rude', '', '00.0000', 0],
        ['spam', 'c1', '00.0000', 0],
        ['spam', '', '00.0000', 0],
      ],
    ],
  ])('%s', (_name, events, expected) => {
    expect(made(...events)).toEqual(expected)
    expect(made(...events.toReversed())).toEqual(expect.arrayContaining(expected))
  })
})

test('of all that takes a label back, the newest time and the highest number are left, whatever version (L1, L3)', () => {
  const events = [
    label({ neg: true, cts: at(3) }, { host: 'mod.test', seq: 1 }),
    label({ neg: true, cts: at(1), cid: 'c2' }, { host: 'mod.test', seq: 9 }),
    label({ neg: true, cts: at(2) }, { host: 'mod.test', seq: 5 }),
  ]
  expect(reduceLabels(events)).toMatchObject({
    made: [],
    negations: [{ ...key, host: 'mod.test', epoch: 0, seq: 9, cts: instantAt(3) }],
    negatedCids: [
      { ...key, cid: '' },
      { ...key, cid: 'c2' },
    ],
  })
})

test('numbers of other hosts and of other epochs are not joined', () => {
  const events = [{ host: 'a.test', seq: 1 }, { host: 'b.test', seq: 2 }, { host: 'b.test', seq: 3, epoch: 1 }, {}]
  const { negations } = reduceLabels(events.map((place) => label({ neg: true }, place)))
  expect(negations.map(({ host, epoch, seq }) => [host, epoch, seq])).toEqual([
    ['a.test', 0, 1],
    ['b.test', 0, 2],
    ['b.test', 1, 3],
    ['', -1, 0],
  ])
})

test('an end that cannot be read is none, and one that can has the one form (L5)', () => {
  const { made } = reduceLabels([label({ val: 'a', exp: 'soon' }), label({ val: 'b', exp: '2027-01-01T00:00:00Z' })])
  expect(made.map(({ exp }) => exp)).toEqual([null, '2027-01-01T00:00:00.000Z'])
})

test('what Postgres cannot store is replaced (J5)', () => {
  expect(reduceLabels([label({ val: 'a\0b', cid: '\ud800' })]).made).toMatchObject([{ val: 'a\ufffdb', cid: '\ufffd' }])
})

describe('what no index can hold is told apart, and the rest is used (X21)', () => {
  const uriOf = (bytes: number): string => 'at://did:plc:a/'.padEnd(bytes, 'x')
  test.each([
    ['a subject of 2,000 bytes', label({ uri: uriOf(2_000) }), 0],
    ['a subject of 2,001 bytes', label({ uri: uriOf(2_001) }), 1],
    ['a subject of 2,000 bytes and a version of 581', label({ uri: uriOf(2_000), cid: 'c'.repeat(581) }), 0],
    ['a subject of 2,000 bytes and a version of 582', label({ uri: uriOf(2_000), cid: 'c'.repeat(582) }), 1],
  ])('%s', (_name, event, rejected) => {
    const { made, tooLong } = reduceLabels([event, label({ val: 'good' })])
    expect(tooLong).toHaveLength(rejected)
    expect(made).toHaveLength(2 - rejected)
  })
})
