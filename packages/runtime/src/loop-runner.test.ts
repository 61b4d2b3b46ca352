import { silentLogger, sleep, type Logger, type Loop } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { LoopRunner, type LoopRunnerOptions } from './loop-runner.ts'

const fast: LoopRunnerOptions = { backoff: { minMs: 1, maxMs: 2 }, wellMs: 30, stuckMs: 20, graceMs: 20 }

/** Does what is next in the list each time that it is run. */
function loopOf(...runs: ((signal: AbortSignal) => Promise<void>)[]): Loop & { runs: number } {
  const loop = {
    name: 'a loop',
    runs: 0,
    run: (signal: AbortSignal) => runs[Math.min(loop.runs++, runs.length - 1)]!(signal),
  }
  return loop
}
const fails = () => Promise.reject(new Error('broken'))
/** What is true sooner or later. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(1)
}
const lasts = (signal: AbortSignal) => sleep(1e6, signal)

describe('a loop (G11)', () => {
  test('that fails is run again, and is a failure until it has been well for a while', async () => {
    const stop = new AbortController()
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (_fields, message) => warnings.push(message) }
    let failure: unknown
    const lastsAfterwards = (signal: AbortSignal) => {
      failure = runner.failure
      return lasts(signal)
    }
    const loop = loopOf(fails, lastsAfterwards)
    const runner = new LoopRunner(loop, logger, fast)
    const running = runner.run(stop.signal)
    await until(() => loop.runs === 2 && runner.failure === undefined)
    expect(failure).toEqual(new Error('broken'))
    expect(warnings).toEqual(['running the loop again'])
    stop.abort()
    await running
  })

  test('that keeps failing is given up', async () => {
    const loop = loopOf(fails)
    const runner = new LoopRunner(loop, silentLogger, { ...fast, restarts: 3 })
    await expect(runner.run(new AbortController().signal)).rejects.toThrow('broken')
    expect(loop.runs).toBe(4)
  })

  test('that fails now and then is never given up', async () => {
    const stop = new AbortController()
    const failsLate = async (signal: AbortSignal) => {
      await sleep(10, signal)
      if (loop.runs < 6) throw new Error('broken')
      stop.abort()
    }
    const loop = loopOf(failsLate)
    await new LoopRunner(loop, silentLogger, { ...fast, restarts: 1, wellMs: 5 }).run(stop.signal)
    expect(loop.runs).toBe(6)
  })

  test('that is stuck is aborted, and run again', async () => {
    const stop = new AbortController()
    const errors: unknown[] = []
    const logger: Logger = { ...silentLogger, error: (fields) => errors.push(fields) }
    let isStuck = true
    const loop = {
      ...loopOf(lasts, async () => {
        isStuck = false
        stop.abort()
      }),
      lastStepAt: () => (isStuck ? performance.now() - 50 : null),
    }
    await new LoopRunner(loop, logger, fast).run(stop.signal)
    expect(errors).toMatchObject([{ err: { message: expect.stringContaining('took no step') as unknown } }])
  })

  test('that is stuck for good ends its process', async () => {
    const loop = { ...loopOf(() => new Promise(() => undefined)), lastStepAt: () => performance.now() - 50 }
    const running = new LoopRunner(loop, silentLogger, fast).run(new AbortController().signal)
    await expect(running).rejects.toThrow('did not end when it was told to')
  })

  test('without work is not stuck, however long it waits', async () => {
    const stop = new AbortController()
    const loop = { ...loopOf(lasts), lastStepAt: () => null }
    const runner = new LoopRunner(loop, silentLogger, fast)
    const running = runner.run(stop.signal)
    await sleep(60)
    expect(runner.failure).toBeUndefined()
    stop.abort()
    await running
  })
})
