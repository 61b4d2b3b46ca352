import { sleep, type Logger, type Loop, silentLogger } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { Health } from './health.ts'
import { createMeter, createRegistry } from './meter.ts'
import { LoopError, runAll } from './run-all.ts'

const untilAborted = (name: string, ended: string[]): Loop => ({
  name,
  run: async (signal) => {
    await sleep(1e6, signal)
    ended.push(name)
  },
})
const failing = (name: string, error: unknown = new Error('broken')): Loop => ({
  name,
  run: () => Promise.reject(error),
})

describe('runAll', () => {
  test('the first loop to fail aborts the others, waits for them and is what is thrown (G11)', async () => {
    const ended: string[] = []
    const health = new Health()
    const run = runAll(
      [untilAborted('a', ended), failing('b'), untilAborted('c', ended)],
      new AbortController().signal,
      {
        health,
        restarts: 0,
      },
    )
    await expect(run).rejects.toThrow(LoopError)
    await expect(run).rejects.toThrow('loop "b" failed: broken')
    expect(ended).toEqual(['a', 'c'])
    expect((await health.report()).checks['loops']).toEqual({ status: 'failing', reason: 'loop "b" failed: broken' })
  })

  test('a loop that ends by itself leaves the others running', async () => {
    const stop = new AbortController()
    const ended: string[] = []
    const done: Loop = { name: 'listing', run: () => Promise.resolve() }
    const run = runAll([done, untilAborted('a', ended)], stop.signal)
    await sleep(5)
    expect(ended).toEqual([])
    stop.abort()
    await run
    expect(ended).toEqual(['a'])
  })

  test('a loop that answers the stop with an abort error has not failed', async () => {
    const stop = new AbortController()
    const throwing: Loop = {
      name: 'a',
      run: (signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    }
    const run = runAll([throwing], stop.signal)
    stop.abort()
    await expect(run).resolves.toBeUndefined()
  })

  test('a failure on the way out is still a failure', async () => {
    const stop = new AbortController()
    const throwing: Loop = {
      name: 'a',
      run: async (signal) => {
        await sleep(1e6, signal)
        throw new Error('the last commit failed')
      },
    }
    const run = runAll([throwing], stop.signal)
    stop.abort()
    await expect(run).rejects.toThrow('the last commit failed')
  })

  test('every failure is logged, also those after the first', async () => {
    const errors: unknown[] = []
    const logger: Logger = { ...silentLogger, error: (fields) => errors.push(fields) }
    await expect(
      runAll([failing('a'), failing('b')], new AbortController().signal, { logger, restarts: 0 }),
    ).rejects.toThrow('"a"')
    expect(errors).toMatchObject([{ loop: 'a' }, { loop: 'b' }])
  })

  test('says of each loop whether it runs', async () => {
    const registry = createRegistry({ processMetrics: false })
    const stop = new AbortController()
    const run = runAll([{ name: 'x', run: () => Promise.resolve() }, untilAborted('y', [])], stop.signal, {
      meter: createMeter(registry),
    })
    await sleep(5)
    const text = await registry.metrics()
    stop.abort()
    await run
    expect(text).toContain('millrace_loop_running{loop="x"} 0')
    expect(text).toContain('millrace_loop_running{loop="y"} 1')
  })
})
