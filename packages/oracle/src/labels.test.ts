import { expect, test } from 'vitest'
import type { FinalLabel } from './final-network.ts'
import { labelRows } from './labels.ts'

const at = (second: number): string => `2026-01-15T12:00:0${second}.000Z`
const label = (seq: number, fields: Partial<FinalLabel> = {}): FinalLabel => ({
  seq,
  src: 'did:plc:labeler',
  uri: 'did:plc:alice',
  val: 'spam',
  cts: at(seq),
  ...fields,
})

test.each([
  { name: 'the newest counts (L2)', labels: [label(2, { exp: at(9) }), label(1)], expected: [['', at(2)]] },
  {
    name: 'by its instant, not its text',
    labels: [label(1, { cts: '2026-01-15T12:00:01Z' }), label(2, { cts: at(1) })],
    expected: [['', at(1)]],
  },
  {
    name: 'each version has its own',
    labels: [label(1), label(2, { cid: 'c' })],
    expected: [
      ['', at(1)],
      ['c', at(2)],
    ],
  },
  {
    name: 'a negation takes back every version (L1)',
    labels: [label(1, { cid: 'c' }), label(2, { neg: true })],
    expected: [],
  },
  { name: 'whatever comes first (G5)', labels: [label(2, { neg: true }), label(1)], expected: [] },
  { name: 'a later label holds again', labels: [label(1, { neg: true }), label(2)], expected: [['', at(2)]] },
  {
    name: 'one dated in the future is taken back by what comes after it (L3)',
    labels: [label(1, { cts: at(9) }), label(2, { neg: true })],
    expected: [],
  },
  {
    name: 'other values and sources are untouched',
    labels: [label(1), label(2, { neg: true, val: 'rude' }), label(3, { neg: true, src: 'did:plc:other' })],
    expected: [['', at(1)]],
  },
])('$name', ({ labels, expected }) => {
  expect(labelRows(labels).map(({ cid, cts }) => [cid, cts])).toEqual(expected)
})
