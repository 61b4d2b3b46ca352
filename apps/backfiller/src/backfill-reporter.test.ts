import { expect, test } from 'vitest'
import type { BackfillerReport } from '@millrace/database'
import { rateOf } from './backfill-reporter.ts'

const report = (report: Partial<BackfillerReport>): BackfillerReport => ({
  left: 0,
  running: 0,
  retrying: 0,
  finished: 0,
  perSecond: 0,
  at: 0,
  ...report,
})

test('the rate is what it was in the last minute', () => {
  let before = report({})
  for (let n = 1; n <= 60; n++) {
    const perSecond = n <= 30 ? 10 : 20
    const [at, finished] = [n * 5_000, before.finished + perSecond * 5]
    before = report({ at, finished, perSecond: rateOf(before, finished, at) })
    if (n <= 30) expect(before.perSecond).toBeCloseTo(10)
  }
  expect(before.perSecond).toBeCloseTo(20, 0)
})

test('one that was started anew, or was away, has no rate yet', () => {
  expect(rateOf(undefined, 100, 5_000)).toBe(0)
  expect(rateOf(report({ finished: 100, perSecond: 3 }), 10, 5_000)).toBe(0)
  expect(rateOf(report({ finished: 100, perSecond: 3 }), 200, 500_000)).toBe(0)
})
