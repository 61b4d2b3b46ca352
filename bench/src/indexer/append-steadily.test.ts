import { expect, test } from 'vitest'
import { dueAt } from './append-steadily.ts'

test.each([
  { elapsedMs: 0, due: 1 },
  { elapsedMs: 3, due: 1 },
  { elapsedMs: 4, due: 2 },
  { elapsedMs: 1000, due: 301 },
])('of 300 a second, $due are due after $elapsedMs ms', ({ elapsedMs, due }) => {
  expect(dueAt(elapsedMs, 300)).toBe(due)
})
