import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

function bucket(perSecond: number, capacity?: number) {
  const clock = { now: 0 }
  const made = new TokenBucket({ perSecond, ...(capacity !== undefined && { capacity }), now: () => clock.now })
  return { clock, bucket: made }
}

test('as many may be taken at once as come in a second, and then one after the other', () => {
  const { clock, bucket: tokens } = bucket(10)
  expect(tokens.available).toBe(10)
  tokens.take(10)
  expect([tokens.available, tokens.waitMs]).toEqual([0, 100])
  clock.now = 99
  expect(tokens.available).toBe(0)
  clock.now = 250
  expect([tokens.available, tokens.waitMs]).toEqual([2, 0])
})

test('a pause saves up no more than the capacity', () => {
  const { clock, bucket: tokens } = bucket(10, 3)
  clock.now = 3_600_000
  expect(tokens.available).toBe(3)
})

test('what was taken too early is waited for', () => {
  const { clock, bucket: tokens } = bucket(1)
  tokens.take(3)
  expect(tokens.waitMs).toBe(3_000)
  clock.now = 3_000
  expect(tokens.available).toBe(1)
})

test('a rate below one a second still has room for one', () => {
  const { bucket: tokens } = bucket(0.1)
  expect(tokens.available).toBe(1)
  tokens.take()
  expect(tokens.waitMs).toBe(10_000)
})

test('no limit is one that is never reached', () => {
  const { bucket: tokens } = bucket(Number.POSITIVE_INFINITY)
  tokens.take(1_000_000)
  expect([tokens.available, tokens.waitMs]).toEqual([Number.POSITIVE_INFINITY, 0])
})
