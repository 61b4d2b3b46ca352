import { expect, test } from 'vitest'
import { Sessions } from './sessions.ts'

test('a session ends by itself, or when it is closed', () => {
  const sessions = new Sessions({ lifetimeMs: 1_000 })
  const [one, two] = [sessions.open(5_000), sessions.open(5_000)]
  expect(one).not.toBe(two)
  expect(sessions.isOpen(one, 5_999)).toBe(true)
  expect(sessions.isOpen(one, 6_000)).toBe(false)
  sessions.close(two)
  expect(sessions.isOpen(two, 5_500)).toBe(false)
})

test('nothing and an unknown token are no session', () => {
  const sessions = new Sessions()
  for (const token of [undefined, '', 'A'.repeat(43)]) expect(sessions.isOpen(token, 0)).toBe(false)
})

test('of too many sessions the oldest ends', () => {
  const sessions = new Sessions({ most: 2 })
  const [oldest, middle, newest] = [sessions.open(1), sessions.open(2), sessions.open(3)]
  expect([oldest, middle, newest].map((token) => sessions.isOpen(token, 4))).toEqual([false, true, true])
})
