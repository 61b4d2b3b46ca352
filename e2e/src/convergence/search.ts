import { renderAnomalies } from '@millrace/oracle'
import * as fc from 'fast-check'
import type { Indexers } from './indexers.ts'
import { renderRegression } from './regressions.ts'
import { runScenario, type Outcome } from './run-scenario.ts'
import { scenario, type Scenario } from './scenario.ts'

export interface SearchOptions {
  indexers: Indexers
  /** The same seed gives the same scenarios, in the same order. */
  seed: number
  /** Where a failure was found with that seed: only there is looked. */
  path?: string | undefined
  timeMs: number
  /** For making what was found smaller. */
  shrinkMs: number
  onRun?: (outcome: Outcome) => void
}

/** A scenario that does not end where it must, as small as there was time to make it. */
export interface Counterexample {
  scenario: Scenario
  seed: number
  path: string
  /** What went wrong. */
  error: string
}

/** What indexers do at the same time comes out as it likes: a scenario that failed may have to be tried again. */
const TRIES = 3

/** Tries scenarios until the time is over or one of them fails. */
export async function search(options: SearchOptions): Promise<Counterexample | undefined> {
  const { timeMs, shrinkMs } = options
  const found = await check(options, 1, { endOnFailure: true, interruptAfterTimeLimit: timeMs })
  if (!found) return undefined
  const smaller = await check({ ...options, path: found.path }, TRIES, { interruptAfterTimeLimit: shrinkMs })
  return smaller ?? found
}

async function check(
  { indexers, seed, path, onRun }: SearchOptions,
  tries: number,
  parameters: fc.Parameters<[Scenario]>,
): Promise<Counterexample | undefined> {
  let running: Promise<unknown> = Promise.resolve()
  const property = fc.asyncProperty(scenario, async (each) => {
    const isAlone = new Set(each.delivery.lanes).size === 1
    for (let left = isAlone ? 1 : tries; left > 0; left--) {
      const run = runScenario(indexers, each)
      running = run
      const outcome = await run
      onRun?.(outcome)
      if (outcome.anomalies.length > 0) throw new Error(renderAnomalies(outcome.anomalies))
    }
  })
  const result = await fc.check(property, {
    seed,
    ...(path !== undefined && { path }),
    numRuns: Number.MAX_SAFE_INTEGER,
    ...parameters,
  })
  // When the time is over the last one is left alone, at work.
  await Promise.allSettled([running])
  const [found] = result.counterexample ?? []
  if (!found) return undefined
  const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)
  return { scenario: found, seed, path: result.counterexamplePath ?? '', error }
}

/** Everything that is needed to find it again. */
export function renderCounterexample({ scenario, seed, path, error }: Counterexample): string {
  return [
    error,
    '',
    `found with --seed ${seed} --path ${path}`,
    '',
    'for e2e/src/convergence/regressions.ts:',
    renderRegression(scenario),
  ].join('\n')
}
