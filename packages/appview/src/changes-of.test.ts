import { expect, test } from 'vitest'
import { changesOf } from './changes-of.ts'

test('what is read is told once, until it is something else', async () => {
  const reads = [[1], [1], [1, 2], [1, 2], [1]]
  const stop = new AbortController()
  const told: number[][] = []
  for await (const value of changesOf(() => Promise.resolve(reads.shift()!), stop.signal, 1)) {
    told.push(value)
    if (told.length === 3) stop.abort()
  }
  expect(told).toEqual([[1], [1, 2], [1]])
})

test('nothing is read for somebody who has gone', async () => {
  const changes = changesOf(() => Promise.reject(new Error('it was read')), AbortSignal.abort())
  expect(await changes.next()).toEqual({ done: true, value: undefined })
})
