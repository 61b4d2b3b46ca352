import { expect, test } from 'vitest'
import { countTests, formatCounts, type FinishedTest } from './count-tests.ts'

const passed: FinishedTest = { name: 'a', state: 'passed' }
const failed: FinishedTest = { name: 'b', state: 'failed' }
const skipped: FinishedTest = { name: 'c', state: 'skipped', reason: 'no browser' }
const cutOff: FinishedTest = { name: 'd', state: 'pending' }

test.each([
  { name: 'no test at all is a failure', modules: [], line: 'tests: 0 passed, 1 failed, 0 skipped' },
  {
    name: 'tests are counted over all files',
    modules: [
      { errors: 0, tests: [passed, failed] },
      { errors: 0, tests: [passed, skipped] },
    ],
    line: 'tests: 2 passed, 1 failed, 1 skipped',
  },
  {
    name: 'a file that cannot be loaded is a failure beside the tests that passed',
    modules: [
      { errors: 0, tests: [passed] },
      { errors: 1, tests: [] },
    ],
    line: 'tests: 1 passed, 1 failed, 0 skipped',
  },
  {
    name: 'a test that was cut off has failed',
    modules: [{ errors: 0, tests: [passed, cutOff] }],
    line: 'tests: 1 passed, 1 failed, 0 skipped',
  },
  {
    name: 'an error that belongs to no test is a failure',
    modules: [{ errors: 0, tests: [passed] }],
    unhandled: 1,
    line: 'tests: 1 passed, 1 failed, 0 skipped',
  },
])('$name', ({ modules, unhandled = 0, line }) => {
  expect(formatCounts(countTests(modules, unhandled))).toBe(line)
})

test('skipped tests keep their reason', () => {
  expect(countTests([{ errors: 0, tests: [passed, skipped] }], 0).skippedTests).toEqual([skipped])
})

test('tests that passed when they were tried again have passed, and are named', () => {
  const unsteady: FinishedTest = { name: 'e', state: 'passed', firstFailure: 'too slow' }
  const counts = countTests([{ errors: 0, tests: [passed, unsteady] }], 0)
  expect(formatCounts(counts)).toBe('tests: 2 passed, 0 failed, 0 skipped')
  expect(counts.unsteadyTests).toEqual([unsteady])
})
