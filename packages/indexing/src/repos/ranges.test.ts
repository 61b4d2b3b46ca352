import { expect, test } from 'vitest'
import { coversUpTo, formatRanges, parseRanges, rangesOf, unionOf } from './ranges.ts'

test.for([
  { name: 'neighbours are one range', numbers: [2, 0, 1, 5], ranges: '{[0,3),[5,6)}' },
  { name: 'a number twice is once', numbers: [4, 4, 3], ranges: '{[3,5)}' },
  { name: 'none', numbers: [], ranges: '{}' },
])('numbers as ranges: $name', ({ numbers, ranges }) => {
  expect(formatRanges(rangesOf(numbers))).toBe(ranges)
  expect(parseRanges(ranges)).toEqual(rangesOf(numbers))
})

test('a union closes gaps, whichever side fills them', () => {
  const odd = rangesOf([1, 3, 5])
  const even = rangesOf([0, 2, 4])
  expect(unionOf(odd, even)).toEqual([[0, 6]])
  expect(unionOf(even, odd)).toEqual([[0, 6]])
})

test.for([
  { numbers: [], count: 0, covers: true },
  { numbers: [], count: 1, covers: false },
  { numbers: [0, 1, 2], count: 3, covers: true },
  { numbers: [0, 2], count: 3, covers: false },
  { numbers: [1, 2], count: 2, covers: false },
])('$numbers cover the first $count: $covers', ({ numbers, count, covers }) => {
  expect(coversUpTo(rangesOf(numbers), count)).toBe(covers)
})
