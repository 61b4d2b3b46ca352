import { expect, test } from 'vitest'
import { median, percentile } from './statistics.ts'

test.each([
  { values: [3, 1, 2], expected: 2 },
  { values: [4, 1, 2, 3], expected: 2.5 },
  { values: [5], expected: 5 },
  { values: [], expected: Number.NaN },
])('the median of $values is $expected', ({ values, expected }) => {
  expect(median(values)).toBe(expected)
})

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

test.each([
  { values: hundred, percent: 99, expected: 99 },
  { values: hundred, percent: 50, expected: 50 },
  { values: [...hundred, 1000], percent: 99, expected: 100 },
  { values: [7], percent: 99, expected: 7 },
  { values: [], percent: 99, expected: Number.NaN },
])('$percent % of $values.length values do not exceed $expected', ({ values, percent, expected }) => {
  expect(percentile(values, percent)).toBe(expected)
})
