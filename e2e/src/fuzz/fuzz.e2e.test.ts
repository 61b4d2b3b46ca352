import { describe, expect, test } from 'vitest'
import { readRegressions } from './regressions.ts'
import { runTarget, tryInput } from './run-target.ts'
import { FuzzError, type FuzzTarget } from './target.ts'
import { fuzzTargets } from './targets/index.ts'

describe.each(fuzzTargets)('$name', (target) => {
  test('takes and refuses what it should, of inputs that are the same every time', async () => {
    const { failures, verdicts } = await runTarget(target, { seed: 1, isEnough: (executions) => executions === 200 })
    expect(failures).toEqual([])
    // Inputs of which all were refused, or none, would try little.
    expect(Math.min(verdicts.accepted, verdicts.refused)).toBeGreaterThan(10)
  })

  test('takes and refuses what it once did not', async () => {
    for (const { input } of await readRegressions(target.name)) expect(await tryInput(target, input)).toBeUndefined()
  })
})

describe('runTarget', () => {
  const target: FuzzTarget = {
    name: 'broken',
    make: (random) => Buffer.from([random.below(256)]),
    run(input) {
      if (input[0]! > 200) throw new FuzzError('too much')
      return 'accepted'
    },
  }

  test('tells which input failed, and makes it again from the seed and its number', async () => {
    const { failures, executions } = await runTarget(target, {
      seed: 5,
      isEnough: (executions) => executions === 1_000,
    })
    expect(failures).toHaveLength(10)
    expect(executions).toBeLessThan(1_000)
    const [first] = failures
    const again = await runTarget(target, { seed: 5, first: first!.number, isEnough: (executions) => executions === 1 })
    expect(again.failures).toEqual([first])
  })
})
