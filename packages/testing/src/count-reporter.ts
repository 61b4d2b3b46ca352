import type { Reporter, SerializedError, TestModule } from 'vitest/node'
import { countTests, formatCounts, type FinishedModule } from './count-tests.ts'

/**
 * Prints `tests: N passed, N failed, N skipped` as the last line of a run. A run without any test has failed, and so has
 * one that skipped tests where CI=true: a test that did not run proves nothing. Tests that passed only when they were tried
 * again (`--retry`) are named, with what they said before: somebody has to look at them.
 */
export default class CountReporter implements Reporter {
  #counted = false

  onInit(): void {
    // A run whose setup fails never ends, for reporters.
    process.once('exit', (code) => {
      if (code !== 0 && !this.#counted) console.log(formatCounts(countTests([], 0)))
    })
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = countTests(modules.map(finished), unhandledErrors.length)
    for (const { name, reason } of counts.skippedTests) console.log(`skipped: ${name}${reason ? ` (${reason})` : ''}`)
    for (const { name, firstFailure } of counts.unsteadyTests) {
      console.log(`passed when tried again: ${name} (${firstFailure})`)
    }
    if (counts.failed > 0 || (counts.skipped > 0 && process.env['CI'] === 'true')) process.exitCode = 1
    this.#counted = true
    console.log(formatCounts(counts))
  }
}

function finished(module: TestModule): FinishedModule {
  const suites = [...module.children.allSuites()]
  return {
    errors: module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0),
    tests: [...module.children.allTests()].map((test) => {
      const result = test.result()
      const isUnsteady = test.diagnostic()?.flaky === true
      return {
        name: `${module.relativeModuleId} > ${test.fullName}`,
        state: result.state,
        ...(result.state === 'skipped' && result.note && { reason: result.note }),
        ...(isUnsteady && { firstFailure: result.errors?.[0]?.message ?? 'it failed' }),
      }
    }),
  }
}
