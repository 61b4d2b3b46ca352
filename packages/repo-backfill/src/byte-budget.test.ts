import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

const { signal } = new AbortController()

test('above the limit later ones wait, until earlier ones give back', async () => {
  const budget = new ByteBudget(100)
  const first = budget.open()
  using second = budget.open()
  await first.grow(80, signal)
  let grown = false
  const waiting = second.grow(30, signal).then(() => (grown = true))
  await setImmediate()
  expect(grown).toBe(false)
  first[Symbol.dispose]()
  await waiting
  expect(budget.taken).toBe(30)
})

test('the one that began first may always grow, so that somebody finishes (S15)', async () => {
  const budget = new ByteBudget(100)
  using first = budget.open()
  using second = budget.open()
  await second.grow(100, signal)
  await first.grow(1000, signal)
  expect(budget.taken).toBe(1100)
})

test('what was given back twice counts once', async () => {
  const budget = new ByteBudget(100)
  const lease = budget.open()
  await lease.grow(50, signal)
  lease[Symbol.dispose]()
  lease[Symbol.dispose]()
  expect(budget.taken).toBe(0)
})

test('waiting ends with the reason of the signal', async () => {
  const budget = new ByteBudget(10)
  using first = budget.open()
  using second = budget.open()
  await first.grow(10, signal)
  const stop = new AbortController()
  const waiting = second.grow(1, stop.signal)
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})
