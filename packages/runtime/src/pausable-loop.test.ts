import { sleep, type Loop } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { PausableLoop } from './pausable-loop.ts'

/** Polls wait for a second unless told otherwise, which is little on a machine that is busy. */
const patient = { timeout: 20_000 }

/** Counts its runs, and lasts until it is told to end. */
function lasting(end: (signal: AbortSignal) => void = () => undefined): Loop & { runs: number; ended: number } {
  const loop = {
    name: 'a loop',
    runs: 0,
    ended: 0,
    async run(signal: AbortSignal) {
      loop.runs++
      await sleep(1e6, signal)
      loop.ended++
      end(signal)
    },
  }
  return loop
}

test.each([
  ['ends', () => undefined],
  ['says that it was told to', (signal: AbortSignal) => signal.throwIfAborted()],
])('a loop that is paused %s, and is begun anew once it is to go on', async (_name, end) => {
  const loop = lasting(end)
  const stop = new AbortController()
  let isPaused = true
  const running = new PausableLoop({ loop, isPaused: () => isPaused, checkMs: 1 }).run(stop.signal)
  try {
    await sleep(10)
    expect(loop.runs).toBe(0)
    isPaused = false
    await expect.poll(() => loop.runs, patient).toBe(1)
    isPaused = true
    await expect.poll(() => loop.ended, patient).toBe(1)
    isPaused = false
    await expect.poll(() => loop.runs, patient).toBe(2)
    isPaused = true
    await expect.poll(() => loop.ended, patient).toBe(2)
  } finally {
    stop.abort()
    await running
  }
})

test('a loop that is done stays done, and one that fails has failed', async () => {
  const signal = new AbortController().signal
  const pausable = (run: () => Promise<void>) =>
    new PausableLoop({ loop: { name: 'a loop', run }, isPaused: () => false }).run(signal)
  await pausable(() => Promise.resolve())
  await expect(pausable(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
