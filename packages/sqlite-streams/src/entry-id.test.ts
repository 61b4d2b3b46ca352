import { expect, test } from 'vitest'
import { idOfSeq, nextSeq, seqOfId } from './entry-id.ts'

const now = Date.UTC(2026, 0, 1)

test('an id tells when its entry was appended', () => {
  expect(idOfSeq(nextSeq(0, now))).toBe(`${now}-0`)
})

test('ids within one millisecond count up', () => {
  const first = nextSeq(0, now)
  expect(idOfSeq(nextSeq(first, now))).toBe(`${now}-1`)
})

test('ids rise although the clock goes back', () => {
  const last = nextSeq(0, now)
  expect(idOfSeq(nextSeq(last, now - 3_600_000))).toBe(`${now}-1`)
})

test('more entries than a millisecond has numbers run ahead of the clock', () => {
  let last = 0
  for (let i = 0; i < 1_025; i++) last = nextSeq(last, now)
  expect(idOfSeq(last)).toBe(`${now + 1}-0`)
})

test.for([0, 1, 1_023, 1_024, now * 1_024 + 77, Date.UTC(2248, 0, 1) * 1_024 + 1_023])(
  'number %i is found again from its id',
  (seq) => {
    expect(Number.isSafeInteger(seq)).toBe(true)
    expect(seqOfId(idOfSeq(seq))).toBe(seq)
  },
)

test.for(['', '5', '-5', '5-', '5-1024', 'a-b', '5-1-1', '99999999999999-0', '5-99999'])('%s is no id', (id) => {
  expect(seqOfId(id)).toBeUndefined()
})
