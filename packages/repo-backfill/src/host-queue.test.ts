import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { HostQueue, type HostQueueOptions, type HostTask } from './host-queue.ts'

const queueOf = (options: Partial<HostQueueOptions> = {}): HostQueue =>
  new HostQueue({ concurrency: 1, perHost: 1, backoff: { minMs: 20, maxMs: 40 }, ...options })
const idle = (queue: HostQueue): Promise<void> => queue.untilReadyAtMost(0, new AbortController().signal)

/** A task that ends when it is told. */
function gate(): { task: () => Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { task: () => promise, open: resolve }
}

test('hosts take turns', async () => {
  const queue = queueOf()
  const order: string[] = []
  const first = gate()
  queue.push('a', first.task)
  for (const host of ['a', 'a', 'a', 'b', 'c', 'b']) queue.push(host, () => Promise.resolve(void order.push(host)))
  first.open()
  await idle(queue)
  await queue.stop()
  // The one that runs is of the first host, so the others come before its next one.
  expect(order).toEqual(['b', 'c', 'a', 'b', 'a', 'a'])
})

test('one host never has more than its share of the places', async () => {
  const queue = queueOf({ concurrency: 3, perHost: 2 })
  const gates = Array.from({ length: 4 }, gate)
  for (const { task } of gates) queue.push('a', task)
  expect([queue.running, queue.waiting]).toEqual([2, 2])
  queue.push('b', gate().task)
  expect([queue.running, queue.waiting]).toEqual([3, 2])
})

test('one that steps aside has others begin in its place, and is awaited all the same', async () => {
  const queue = queueOf({ aside: 1 })
  const [slow, slower] = [gate(), gate()]
  const aside =
    ({ task }: { task: () => Promise<void> }): HostTask =>
    async (stepAside) => {
      stepAside()
      stepAside()
      await task()
    }
  queue.push('a', aside(slow))
  queue.push('a', aside(slower))
  const order: string[] = []
  for (const host of ['a', 'b']) queue.push(host, () => Promise.resolve(void order.push(host)))
  await wait(5)
  // After the first one that of another host has had its turn; the second one may not, as one is aside already.
  expect([queue.running, queue.waiting, order]).toEqual([2, 1, ['b']])
  slower.open()
  await wait(5)
  expect([queue.running, order]).toEqual([1, ['b', 'a']])
  let stopped = false
  const stopping = queue.stop().then(() => (stopped = true))
  await wait(5)
  expect(stopped).toBe(false)
  slow.open()
  await stopping
  expect(queue.running).toBe(0)
})

test('tasks of a host that failed wait, and those of others go on', async () => {
  const queue = queueOf()
  const order: string[] = []
  queue.failed('a')
  queue.push('a', () => Promise.resolve(void order.push('a')))
  queue.push('b', () => Promise.resolve(void order.push('b')))
  await idle(queue)
  expect([order, queue.ready, queue.waiting, queue.isHeld('a')]).toEqual([['b'], 0, 1, true])
  while (queue.waiting > 0) await wait(5)
  expect([order, queue.isHeld('a')]).toEqual([['b', 'a'], false])
  await queue.stop()
})

test('a task that waits for its place when its host fails waits for its host instead, and is then the first', async () => {
  const queue = queueOf({ concurrency: 1, perHost: 2 })
  const order: string[] = []
  const note = (name: string) => () => Promise.resolve(void order.push(name))
  const first = gate()
  queue.push('b', first.task)
  for (const name of ['a1', 'a2', 'a3']) queue.push('a', note(name))
  queue.push('b', note('b'))
  queue.failed('a')
  expect([queue.ready, queue.waiting]).toEqual([1, 4])
  first.open()
  await idle(queue)
  expect(order).toEqual(['b'])
  while (queue.waiting > 0) await wait(5)
  expect(order).toEqual(['b', 'a1', 'a2', 'a3'])
  await queue.stop()
})

test('paused, nothing begins, and stopping ends it all the same', async () => {
  const queue = queueOf({ perHost: 2 })
  queue.setPaused(true)
  const order: string[] = []
  queue.push('a', () => Promise.resolve(void order.push('a')))
  await wait(5)
  expect([order, queue.waiting]).toEqual([[], 1])
  queue.setPaused(false)
  await idle(queue)
  expect(order).toEqual(['a'])
  queue.setPaused(true)
  queue.push('a', () => Promise.reject(new Error('must not run')))
  await queue.stop()
})

test('stopping forgets what waits for its place', async () => {
  const queue = queueOf({ perHost: 2 })
  const running = gate()
  queue.push('a', running.task)
  queue.push('a', () => Promise.reject(new Error('must not run')))
  const stopping = queue.stop()
  running.open()
  await stopping
  expect([queue.running, queue.waiting]).toEqual([0, 0])
})

test('a host that does well again is asked at once', async () => {
  const queue = queueOf({ backoff: { minMs: 60_000 } })
  queue.failed('a')
  queue.failed('a', 120_000)
  const done = gate()
  queue.push('a', () => Promise.resolve(done.open()))
  queue.succeeded('a')
  await done.task()
  await queue.stop()
})

test('a host is left alone as long as it asks, when that is longer', async () => {
  const queue = queueOf()
  const failedAt = performance.now()
  queue.failed('a', 150)
  queue.failed('a', 10)
  const done = gate()
  queue.push('a', () => Promise.resolve(done.open()))
  await done.task()
  expect(performance.now() - failedAt).toBeGreaterThan(140)
  await queue.stop()
})

test('a host that was not asked waits no longer than it has to, and has not failed', async () => {
  const queue = queueOf({ backoff: { minMs: 60_000, maxMs: 60_000 } })
  for (let n = 0; n < 3; n++) queue.postpone('a', 5)
  const done = gate()
  queue.push('a', () => Promise.resolve(done.open()))
  await done.task()
  await idle(queue)
  await queue.stop()
})

test('stopping forgets what waits, and awaits what runs', async () => {
  const queue = queueOf()
  const running = gate()
  queue.push('a', running.task)
  queue.push('a', () => Promise.reject(new Error('must not run')))
  queue.pushLater('a', 1, () => Promise.reject(new Error('must not run')))
  let stopped = false
  const stopping = queue.stop().then(() => (stopped = true))
  await wait(10)
  expect([stopped, queue.waiting]).toEqual([false, 0])
  running.open()
  await stopping
})

test('waiting for room ends with its signal', async () => {
  const queue = queueOf()
  queue.push('a', gate().task)
  queue.push('a', gate().task)
  const stop = new AbortController()
  const waiting = queue.untilReadyAtMost(0, stop.signal)
  stop.abort()
  await waiting
  expect(queue.ready).toBe(1)
})
