import { expect, test } from 'vitest'
import { amount, counted } from './amount.ts'
import { ago, ahead, duration } from './duration.ts'
import { worst } from './level.ts'

test.each([
  [0, '0 s'],
  [0.4, '0 s'],
  [41.4, '41 s'],
  [60, '1 min'],
  [150, '2 min'],
  [3_600, '1 h'],
  [7_500, '2 h 5 min'],
  [11 * 3_600 + 59, '11 h'],
  [86_400 + 3_600, '1 d 1 h'],
  [10 * 86_400 + 3_600, '10 d'],
  [-5, '0 s'],
])('%d seconds are %s', (seconds, words) => {
  expect(duration(seconds)).toBe(words)
})

test.each([
  [0, '0'],
  [1_234, '1,234'],
  [99_999, '99,999'],
  [123_456, '123k'],
  [4_600_000, '4.6M'],
  [2.1e9, '2.1G'],
])('%d is %s', (count, words) => {
  expect(amount(count)).toBe(words)
})

test('one is not many', () => {
  expect([counted(1, 'entry', 'entries'), counted(2, 'entry', 'entries'), counted(0, 'gap')]).toEqual([
    '1 entry',
    '2 entries',
    '0 gaps',
  ])
})

test('how long ago a time is', () => {
  const now = Date.parse('2025-10-24T12:00:00.000Z')
  expect(ago('2025-10-14T12:00:00.000Z', now)).toBe('10 d ago')
  expect(ago('2025-10-24T12:00:05.000Z', now)).toBe('now')
  expect(ago('never', now)).toBe('')
})

test('the worst of several says how they stand together', () => {
  expect([worst([]), worst(['ok', 'unknown']), worst(['warn', 'bad', 'ok'])]).toEqual(['ok', 'unknown', 'bad'])
})

test('a time ahead is as long as it takes until then', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  expect([ahead('2026-01-01T04:00:00Z', now), ahead('2025-12-31T00:00:00Z', now), ahead('soon', now)]).toEqual([
    '4 h',
    '0 s',
    '',
  ])
})
