import { expect, test } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

const now = Date.UTC(2026, 0, 1)

test.each([
  { value: '12', ms: 12_000 },
  { value: ' 1 ', ms: 1_000 },
  { value: 'Thu, 01 Jan 2026 00:00:30 GMT', ms: 30_000 },
  { value: 'Thu, 01 Jan 1970 00:00:00 GMT', ms: undefined },
  { value: '0', ms: undefined },
  { value: '-5', ms: undefined },
  { value: 'soon', ms: undefined },
  { value: '', ms: undefined },
])('Retry-After: $value is $ms ms', ({ value, ms }) => {
  expect(retryAfterMs(new Headers({ 'retry-after': value }), now)).toBe(ms)
})

test('without the header there is no wish', () => expect(retryAfterMs(new Headers())).toBeUndefined())
