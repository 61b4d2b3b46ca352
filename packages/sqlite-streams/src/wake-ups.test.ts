import { expect, test } from 'vitest'
import { nextAppend, wakeReaders } from './wake-ups.ts'

const never = new AbortController().signal
const HOUR_MS = 3_600_000

test('an append wakes every reader of its stream', async () => {
  const readers = [nextAppend('file', 's', HOUR_MS, never), nextAppend('file', 's', HOUR_MS, never)]
  wakeReaders('file', 's')
  await Promise.all(readers)
})

test('readers of other streams and files sleep on', async () => {
  const controller = new AbortController()
  const awake: string[] = []
  const readers = [
    nextAppend('file', 'other', HOUR_MS, controller.signal).then(() => awake.push('stream')),
    nextAppend('other', 's', HOUR_MS, controller.signal).then(() => awake.push('file')),
    nextAppend('file', 's', HOUR_MS, controller.signal).then(() => awake.push('reader')),
  ]
  wakeReaders('file', 's')
  await readers[2]
  expect(awake).toEqual(['reader'])
  controller.abort()
  await Promise.all(readers)
})

test('a reader looks again by itself after a while', async () => {
  await nextAppend('file', 's', 1, never)
})

test('an aborted reader waits no longer', async () => {
  const controller = new AbortController()
  const waiting = nextAppend('file', 's', HOUR_MS, controller.signal)
  controller.abort()
  await waiting
  await nextAppend('file', 's', HOUR_MS, controller.signal)
})
