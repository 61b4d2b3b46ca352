import { expect, test } from 'vitest'
import { compareIds, entryTime, idBefore } from './entry-id.ts'

test('ids compare as numbers, also beyond what a number holds', () => {
  expect(compareIds('9-0', '10-0')).toBe(-1)
  expect(compareIds('10-18446744073709551615', '10-18446744073709551614')).toBe(1)
  expect(compareIds('10-1', '10-1')).toBe(0)
})

test.each([
  ['10-5', '10-4'],
  ['10-0', '9-18446744073709551615'],
])('the id before %s is %s', (id, before) => {
  expect(idBefore(id)).toBe(before)
  expect(compareIds(before, id)).toBe(-1)
})

test('the time of an entry is in its id', () => {
  expect(entryTime('1700000000000-12')).toBe(1_700_000_000_000)
})
