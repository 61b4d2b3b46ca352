import { pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { Indexers } from './indexers.ts'
import { regressions } from './regressions.ts'
import { runScenario } from './run-scenario.ts'
import { renderCounterexample, search } from './search.ts'

/** The same for everybody: `npm run test:convergence` looks elsewhere each time. */
const seed = Number(process.env['MILLRACE_TEST_SEED'] ?? 20260115)
const timeMs = 20_000

describe('rows are a function of what happened', () => {
  pgTest('what ended elsewhere once ends where it must (G5)', { timeout: 180_000 }, async ({ databaseUrl }) => {
    await using indexers = await Indexers.open(databaseUrl)
    for (const { name, scenario } of regressions)
      expect({ name, ...(await runScenario(indexers, scenario)) }).toMatchObject({ name, anomalies: [] })
  })

  pgTest(
    'whatever the order, batches, repetitions and indexers it comes by (G5, G6, X7, X12, X24, L3)',
    { timeout: timeMs * 6 },
    async ({ databaseUrl }) => {
      await using indexers = await Indexers.open(databaseUrl)
      let runs = 0
      let events = 0
      const onRun = (outcome: { events: number }): void => {
        runs += 1
        events += outcome.events
      }
      const found = await search({ indexers, seed, timeMs, shrinkMs: timeMs, onRun })
      console.log(`convergence: seed ${seed}, ${runs} scenarios, ${events} events`)
      expect(found && renderCounterexample(found)).toBeUndefined()
      expect(runs).toBeGreaterThan(0)
    },
  )
})
