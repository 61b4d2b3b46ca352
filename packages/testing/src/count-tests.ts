export interface FinishedTest {
  name: string
  state: 'passed' | 'failed' | 'skipped' | 'pending'
  /** Why it was skipped, where it says so. */
  reason?: string
  /** What it said when it failed, where it passed only when it was tried again. */
  firstFailure?: string
}

export interface FinishedModule {
  /** Errors outside of tests: while it was loaded, or in hooks. */
  errors: number
  tests: FinishedTest[]
}

export interface TestCounts {
  passed: number
  /** Tests that failed, and errors outside of tests. */
  failed: number
  skipped: number
  skippedTests: FinishedTest[]
  /** Those that passed only when they were tried again. */
  unsteadyTests: FinishedTest[]
}

export function countTests(modules: readonly FinishedModule[], unhandledErrors: number): TestCounts {
  const tests = modules.flatMap(({ tests }) => tests)
  const errors = unhandledErrors + modules.reduce((sum, module) => sum + module.errors, 0)
  const passed = tests.filter(({ state }) => state === 'passed').length
  const skippedTests = tests.filter(({ state }) => state === 'skipped')
  // One that is pending at the end was cut off, and nobody knows what it would have shown.
  const failed = errors + tests.filter(({ state }) => state === 'failed' || state === 'pending').length
  const nothing = tests.length === 0 && failed === 0
  const unsteadyTests = tests.filter(({ firstFailure }) => firstFailure !== undefined)
  return { passed, failed: nothing ? 1 : failed, skipped: skippedTests.length, skippedTests, unsteadyTests }
}

export function formatCounts({ passed, failed, skipped }: TestCounts): string {
  return `tests: ${passed} passed, ${failed} failed, ${skipped} skipped`
}
