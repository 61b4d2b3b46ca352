import { expect, test } from 'vitest'
import { Backoff, sleep } from './time.ts'

test('delays double up to the longest, each between half and all of it', () => {
  const backoff = new Backoff({ minMs: 100, maxMs: 1_000 })
  for (const full of [100, 200, 400, 800, 1_000, 1_000]) {
    const delay = backoff.nextMs()
    expect(delay).toBeGreaterThanOrEqual(full / 2)
    expect(delay).toBeLessThanOrEqual(full)
  }
  expect(backoff.attempt).toBe(6)
  backoff.reset()
  expect(backoff.attempt).toBe(0)
  expect(backoff.nextMs()).toBeLessThanOrEqual(100)
})

test('an aborted sleep ends, and does not reject', async () => {
  const controller = new AbortController()
  const sleeping = sleep(3_600_000, controller.signal)
  controller.abort()
  await sleeping
  await sleep(3_600_000, controller.signal)
})
