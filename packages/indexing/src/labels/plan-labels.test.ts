import type { LabelEvent } from '@millrace/stream-protocol'
import { array, assert, boolean, constantFrom, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LabelStore } from './label-store.testing.ts'
import { readersRows, saidLabels } from './said-labels.testing.ts'

const at = (second: number): string => `2026-01-15T12:00:${String(second).padStart(2, '0')}.000Z`
const future = '2099-01-01T00:00:00.000Z'
const label = (fields: Partial<LabelEvent['label']>, place: Omit<LabelEvent, 'type' | 'label'> = {}): LabelEvent => ({
  type: 'label',
  label: { src: 'did:plc:labeler', uri: 'did:plc:a', val: 'spam', cts: at(0), ...fields },
  ...place,
})
const seq = (number: number, epoch?: number) => ({
  host: 'mod.test',
  seq: number,
  ...(epoch !== undefined && { epoch }),
})
const seenAfter = (...events: LabelEvent[]) => {
  const store = new LabelStore()
  store.apply(events)
  return store.rows.map(({ cid, neg, cts }) => [cid, neg, cts])
}

describe('a label is taken back by a later time or by a higher number (L3)', () => {
  test.each<{ name: string; events: LabelEvent[]; rows: unknown[] }>([
    {
      name: 'one of the future, by a later negation',
      events: [label({ cts: future }, seq(1)), label({ neg: true, cts: at(1) }, seq(2))],
      rows: [['', true, at(1)]],
    },
    {
      name: 'one with a higher number, by a negation with a later time',
      events: [label({}, seq(2)), label({ neg: true, cts: at(1) }, seq(1))],
      rows: [['', true, at(1)]],
    },
    {
      name: 'two negations, of which one has the later time and the other the higher number, count both',
      events: [
        label({ neg: true, cts: at(5) }, seq(1)),
        label({ neg: true, cts: at(1) }, seq(9)),
        label({ cid: 'old', cts: at(4) }, seq(10)),
        label({ cid: 'early', cts: at(6) }, seq(8)),
        label({ cid: 'good', cts: at(6) }, seq(10)),
      ],
      rows: [
        ['', true, at(5)],
        ['early', true, at(5)],
        ['good', false, at(6)],
        ['old', true, at(5)],
      ],
    },
    {
      name: 'at one time what comes later in the sequence counts',
      events: [label({ neg: true }, seq(1)), label({}, seq(2))],
      rows: [['', false, at(0)]],
    },
    {
      name: 'at one time, where no sequence says, the negation',
      events: [label({}), label({ neg: true })],
      rows: [['', true, at(0)]],
    },
    {
      name: 'entries of other services, which say no number, count by time alone',
      events: [label({ cts: future }), label({ neg: true, cts: at(1) }, seq(2))],
      rows: [['', false, future]],
    },
    {
      name: 'a host that lost its numbers counts anew: its old ones say nothing about what is new',
      events: [label({ neg: true, cts: at(1) }, seq(1_000)), label({ cts: at(2) }, seq(3, 1))],
      rows: [['', false, at(2)]],
    },
    {
      name: 'numbers of two hosts say nothing about each other',
      events: [label({ cts: future }, seq(1)), label({ neg: true, cts: at(1) }, { host: 'other.test', seq: 2 })],
      rows: [['', false, future]],
    },
  ])('$name', ({ events, rows }) => {
    expect(seenAfter(...events)).toEqual(rows)
    expect(seenAfter(...events.toReversed())).toEqual(rows)
  })
})

test('an older label without end does not come back after a newer one has ended (L5)', () => {
  const events = [label({ cts: at(2), exp: at(3) }), label({ cts: at(1) })]
  for (const order of [events, events.toReversed()]) {
    const store = new LabelStore()
    for (const event of order) store.apply([event])
    expect(store.rows).toMatchObject([{ neg: false, cts: at(2), exp: at(3) }])
  }
})

test('what is said again is not written again (L9)', () => {
  const events = [
    label({ cid: 'c1' }, seq(1)),
    label({ neg: true, cts: at(1) }, seq(2)),
    label({ val: 'rude' }, seq(3)),
  ]
  const store = new LabelStore()
  expect(store.apply(events)).toMatchObject({ made: { length: 2 }, negations: { length: 1 }, rows: { length: 3 } })
  expect(store.apply(events)).toEqual({ made: [], negations: [], rows: [] })
})

describe('rows that another service has left are taken over', () => {
  const row = { src: 'did:plc:labeler', uri: 'did:plc:a', val: 'spam' }
  const left = [
    { ...row, cid: '', neg: false, cts: '2026-01-15T12:00:03Z', exp: 'never' },
    { ...row, cid: 'c1', neg: true, cts: '2026-01-15T12:00:02Z', exp: null },
  ]

  test('a label that holds, against an older negation', () => {
    const store = new LabelStore(left)
    store.apply([label({ neg: true, cts: at(1) }, seq(1))])
    expect(store.rows).toEqual([
      { ...row, cid: '', neg: false, cts: at(3), exp: null },
      { ...row, cid: 'c1', neg: true, cts: at(2), exp: null },
    ])
  })

  test('a negation, against an older label', () => {
    const store = new LabelStore(left)
    store.apply([label({ cid: 'c2', cts: at(1) }, seq(1)), label({ cid: 'c3', cts: at(3) }, seq(2))])
    expect(store.rows.map(({ cid, neg }) => [cid, neg])).toEqual([
      ['', false],
      ['c1', true],
      ['c2', true],
      ['c3', false],
    ])
  })
})

test('whatever is said, in any order, in any batches, and repeated, ends in the same rows (G5, L2, L3)', () => {
  const shuffled = array(record({ event: saidLabels, sortKey: constantFrom(0, 1, 2, 3, 4, 5, 6, 7), cut: boolean() }), {
    minLength: 1,
    maxLength: 14,
  })
  assert(
    property(shuffled, (entries) => {
      const events = entries.map(({ event }) => event)
      const expected = readersRows(events)
      const inOrder = new LabelStore()
      inOrder.apply(events)
      expect(inOrder.rows).toEqual(expected)

      const store = new LabelStore()
      let batch: LabelEvent[] = []
      for (const { event, cut } of entries.toSorted((a, b) => a.sortKey - b.sortKey)) {
        batch.push(event)
        if (!cut) continue
        store.apply(batch)
        batch = []
      }
      store.apply(batch)
      store.apply(events.toReversed())
      expect(store.rows).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})
