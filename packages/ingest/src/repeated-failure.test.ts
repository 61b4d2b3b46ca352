import { expect, test } from 'vitest'
import { RepeatedFailure } from './repeated-failure.ts'

test('failures count as long as they are at one place, of one kind (I11)', () => {
  const failure = new RepeatedFailure()
  expect(failure.times('frame', 7)).toBe(0)
  expect([failure.count('frame', 7), failure.count('frame', 7)]).toEqual([1, 2])
  expect([failure.times('frame', 7), failure.times('frame', 8), failure.times('sequence', 7)]).toEqual([2, 0, 0])
  expect([failure.count('sequence', 7), failure.count('frame', 7)]).toEqual([1, 1])
})

test('the place before the first number is one as well', () => {
  const failure = new RepeatedFailure()
  expect([failure.count('frame', undefined), failure.count('frame', undefined)]).toEqual([1, 2])
})
