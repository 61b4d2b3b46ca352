import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

const { signal } = new AbortController()
const budgetOf = (largeBytes: number): ByteBudget => new ByteBudget({ largeBytes, smallBytes: 0, firstBytes: 0 })

/** Whether some work is done by now. */
async function isDone(work: Promise<void>): Promise<boolean> {
  let done = false
  void work.then(() => (done = true))
  await setImmediate()
  return done
}

test('above the limit one may grow, and others wait until it gives back (S15)', async () => {
  const budget = budgetOf(100)
  const first = budget.open()
  using second = budget.open()
  await second.grow(80, signal)
  await first.grow(1_000, signal)
  const waiting = second.grow(30, signal)
  expect(await isDone(waiting)).toBe(false)
  expect(budget.taken).toBe(1_080)
  first[Symbol.dispose]()
  await waiting
  expect(budget.taken).toBe(110)
})

test('who needs nothing is in nobody’s way, however long it has been there (B6)', async () => {
  const budget = budgetOf(100)
  using slow = budget.open()
  await slow.grow(1, signal)
  using others = budget.open()
  await others.grow(500, signal)
  expect(budget.taken).toBe(501)
})

test('small ones go on while large ones have taken all (B6)', async () => {
  const budget = new ByteBudget({ largeBytes: 100, smallBytes: 40, firstBytes: 10 })
  const [huge, large] = [budget.open(), budget.open()]
  await huge.grow(300, signal)
  expect(await isDone(large.grow(20, signal))).toBe(false)
  using small = budget.open()
  await small.grow(6, signal)
  await small.grow(4, signal)
  expect(budget.taken).toBe(320)
  huge[Symbol.dispose]()
  await setImmediate()
  expect(budget.taken).toBe(30)
  large[Symbol.dispose]()
})

test('what was given back twice counts once', async () => {
  const budget = budgetOf(100)
  const lease = budget.open()
  await lease.grow(50, signal)
  lease[Symbol.dispose]()
  lease[Symbol.dispose]()
  expect(budget.taken).toBe(0)
})

test('waiting ends with the reason of the signal', async () => {
  const budget = budgetOf(10)
  using first = budget.open()
  using second = budget.open()
  await first.grow(11, signal)
  const stop = new AbortController()
  const waiting = second.grow(1, stop.signal)
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})
