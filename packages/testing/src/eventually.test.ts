import { expect, test } from 'vitest'
import { eventually } from './eventually.ts'

test('an assertion is repeated until it holds, and its value is returned', async () => {
  let attempts = 0
  const value = await eventually(
    () => {
      attempts++
      expect(attempts).toBeGreaterThan(2)
      return 'held'
    },
    { everyMs: 1 },
  )
  expect([value, attempts]).toEqual(['held', 3])
})

test('an assertion that never holds is reported with its last error', async () => {
  let attempts = 0
  const never = eventually(() => Promise.reject(new Error(`attempt ${++attempts}`)), { timeoutMs: 20, everyMs: 1 })
  const error = await never.catch((error: unknown) => error)
  expect(attempts).toBeGreaterThan(1)
  expect(error).toEqual(new Error(`attempt ${attempts}`))
})
