import type { Batch, BatchSource, DeadLetter, Entry, Ledger } from '@millrace/stream-protocol'
import { createLogSpy, eventually } from '@millrace/testing'
import { expect, test } from 'vitest'
import { StreamLoop } from './stream-loop.ts'

/** An event is its topic and a number. */
type Numbered = `${string} ${number}`

/** Batches that are given one by one. It says when the next one is asked for, and keeps what was acked. */
class Batches implements BatchSource<Numbered> {
  readonly stream = 'stream'
  readonly group = 'group'
  readonly acked: string[] = []
  asked = 0
  readonly #batches: Numbered[][]

  constructor(...batches: Numbered[][]) {
    this.#batches = batches
  }

  async *batches(signal: AbortSignal): AsyncGenerator<Batch<Numbered>> {
    for (const events of this.#batches) {
      this.asked += 1
      if (signal.aborted) return
      const entries = events.map((event) => ({ id: event, event }))
      yield { stream: this.stream, entries, rejected: [], ack: async (ids) => void this.acked.push(...(ids ?? [])) }
    }
    this.asked += 1
  }
}

/** A loop whose every transaction waits until it is let go. */
class Held extends StreamLoop<Numbered> {
  /** Transactions at work, by their first event. */
  readonly atWork = new Map<Numbered, { events: Numbered[]; letGo: () => void }>()

  constructor(source: BatchSource<Numbered>, concurrency: number) {
    super('held', { source, ledger: {} as Ledger, concurrency })
  }

  protected override async apply(entries: readonly Entry<Numbered>[]): Promise<void> {
    const events = entries.map(({ event }) => event)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.atWork.set(events[0]!, { events, letGo: resolve })
    await promise
    this.atWork.delete(events[0]!)
  }

  protected override describe(event: Numbered): Pick<DeadLetter, 'payload'> {
    return { payload: event }
  }

  protected override topicOf(event: Numbered): string {
    return event.split(' ')[0]!
  }

  /** Waits until exactly these are at work. */
  async works(...first: Numbered[]): Promise<void> {
    await eventually(() => expect([...this.atWork.keys()].toSorted()).toEqual(first.toSorted()))
  }
}

const numbered = (topic: string, from: number, to: number): Numbered[] =>
  Array.from({ length: to - from + 1 }, (_, index): Numbered => `${topic} ${from + index}`)
// In two lanes these are in one each.
const a = (from: number, to: number) => numbered('a', from, to)
const b = (from: number, to: number) => numbered('b', from, to)

test('a long batch goes in several transactions at once, each topic in its order (X16)', async () => {
  const source = new Batches([...a(1, 90), ...b(1, 30)], [...b(31, 60), ...a(91, 180)])
  const loop = new Held(source, 2)
  const running = loop.run(new AbortController().signal)
  await loop.works('a 1', 'b 1')
  expect(loop.atWork.get('a 1')!.events).toEqual(a(1, 90))
  // One lane is faster: it goes on with its part of the next batch, and the other's stays in its place.
  loop.atWork.get('b 1')!.letGo()
  await loop.works('a 1', 'b 31')
  expect(source.acked).toEqual(b(1, 30))
  loop.atWork.get('b 31')!.letGo()
  await loop.works('a 1')
  loop.atWork.get('a 1')!.letGo()
  await loop.works('a 91')
  loop.atWork.get('a 91')!.letGo()
  await running
  expect(source.acked).toEqual([...b(1, 30), ...b(31, 60), ...a(1, 90), ...a(91, 180)])
  expect(loop.status().entries).toBe(240)
})

test('no more is read than one batch ahead', async () => {
  const source = new Batches(a(1, 120), a(121, 240), a(241, 360))
  const loop = new Held(source, 2)
  const running = loop.run(new AbortController().signal)
  await loop.works('a 1')
  await eventually(() => expect(source.asked).toBe(2))
  loop.atWork.get('a 1')!.letGo()
  await loop.works('a 121')
  await eventually(() => expect(source.asked).toBe(3))
  loop.atWork.get('a 121')!.letGo()
  await loop.works('a 241')
  loop.atWork.get('a 241')!.letGo()
  await running
})

test('a short batch is one transaction, and the next read gets all that came meanwhile', async () => {
  const source = new Batches([...a(1, 2), ...b(1, 2)], [...a(3, 3), ...b(3, 3)])
  const loop = new Held(source, 2)
  const running = loop.run(new AbortController().signal)
  await loop.works('a 1')
  expect(loop.atWork.get('a 1')!.events).toEqual(['a 1', 'a 2', 'b 1', 'b 2'])
  expect(source.asked).toBe(1)
  loop.atWork.get('a 1')!.letGo()
  await loop.works('a 3')
  loop.atWork.get('a 3')!.letGo()
  await running
})

test('a short batch comes after the long one before it', async () => {
  const source = new Batches([...a(1, 60), ...b(1, 60)], b(61, 61))
  const loop = new Held(source, 2)
  const running = loop.run(new AbortController().signal)
  await loop.works('a 1', 'b 1')
  loop.atWork.get('b 1')!.letGo()
  await loop.works('a 1')
  loop.atWork.get('a 1')!.letGo()
  await loop.works('b 61')
  loop.atWork.get('b 61')!.letGo()
  await running
})

test('what is at work when it is stopped is finished, and nothing more is begun', async () => {
  const source = new Batches(a(1, 120), a(121, 240))
  const loop = new Held(source, 2)
  const stop = new AbortController()
  const running = loop.run(stop.signal)
  await loop.works('a 1')
  await eventually(() => expect(source.asked).toBe(2))
  stop.abort()
  loop.atWork.get('a 1')!.letGo()
  await running
  expect(source.acked).toEqual(a(1, 120))
})

/** A loop that fails at some entries for no known reason, and keeps what it gives up. */
class Failing extends StreamLoop<Numbered> {
  readonly letters: string[] = []
  fails: (event: Numbered) => boolean

  constructor(source: BatchSource<Numbered>, fails: (event: Numbered) => boolean, options = {}) {
    super('failing', {
      source,
      doubt: { minMs: 0.01, maxMs: 0.01 },
      ledger: {
        deadLetter: async (letters) => void this.letters.push(...letters.map(({ entryId }) => entryId)),
        markDirty: async () => undefined,
        recordGap: async () => undefined,
      },
      ...options,
    })
    this.fails = fails
  }

  protected override async apply(entries: readonly Entry<Numbered>[]): Promise<void> {
    if (entries.some(({ event }) => this.fails(event))) throw new TypeError('a mistake of ours')
  }

  protected override describe(event: Numbered): Pick<DeadLetter, 'payload'> {
    return { payload: event }
  }

  protected override topicOf(event: Numbered): string {
    return event
  }
}

const isOfTopicB = (event: Numbered): boolean => event.startsWith('b')

test('when too many entries fail for no known reason, it is we who fail: the stream waits, and none is given up (G9)', async () => {
  const source = new Batches(a(1, 100), b(1, 30), a(101, 110))
  const log = createLogSpy()
  const loop = new Failing(source, isOfTopicB, { logger: log })
  const running = loop.run(new AbortController().signal)
  const alarms = () => log.entries.filter(({ fields }) => fields['alarm'] === 'failures')
  await eventually(() => expect(alarms().length).toBeGreaterThan(1))
  expect(loop.letters).toEqual(b(1, 19))
  expect(source.acked).toEqual(a(1, 100))
  // Once it is mended, all that waited goes its way.
  loop.fails = () => false
  await running
  expect(loop.letters).toEqual(b(1, 19))
  expect(source.acked).toEqual([...a(1, 100), ...b(1, 30), ...a(101, 110)])
})

test('poison that is rare is given up, however much there was of it before (G9)', async () => {
  const poison = Array.from({ length: 40 }, (_, n) => [...a(n * 120 + 1, n * 120 + 119), ...b(n, n)])
  const loop = new Failing(new Batches(...poison), isOfTopicB)
  await loop.run(new AbortController().signal)
  expect(loop.letters).toEqual(b(0, 39))
})

test('a loop of replays never waits for us (G10)', async () => {
  const loop = new Failing(new Batches(b(1, 101)), isOfTopicB, { replays: true, concurrency: 1 })
  await loop.run(new AbortController().signal)
  expect(loop.letters).toEqual(b(1, 101))
})

test('a loop with work in hand says when it last took a step, and without any says nothing (G11)', async () => {
  const source = new Batches(a(1, 3))
  const loop = new Held(source, 1)
  expect(loop.lastStepAt()).toBeNull()
  const running = loop.run(new AbortController().signal)
  await loop.works('a 1')
  const since = loop.lastStepAt()
  expect(since).toBeLessThanOrEqual(performance.now())
  await eventually(() => expect(performance.now() - since!).toBeGreaterThan(5))
  expect(loop.lastStepAt()).toBe(since)
  loop.atWork.get('a 1')!.letGo()
  await running
  expect(loop.lastStepAt()).toBeNull()
})

test('a loop that is run again has nothing in hand of the run that failed (G11)', async () => {
  const source = new Batches(a(1, 150))
  const first = source.batches.bind(source)
  source.batches = async function* (signal) {
    yield* first(signal)
    throw new Error('the store is away')
  }
  const loop = new Held(source, 1)
  const running = loop.run(new AbortController().signal)
  await expect(running).rejects.toThrow('away')
  expect(loop.lastStepAt()).not.toBeNull()
  source.batches = async function* () {}
  await loop.run(new AbortController().signal)
  expect(loop.lastStepAt()).toBeNull()
  loop.atWork.get('a 1')!.letGo()
  await eventually(() => expect(source.acked).toHaveLength(150))
  expect(loop.lastStepAt()).toBeNull()
})

test('a batch that is too much for the database at once is divided, and nothing of it is given up (X5)', async () => {
  const source = new Batches(a(1, 200))
  const sizes: number[] = []
  class Small extends Held {
    protected override async apply(entries: readonly Entry<Numbered>[]): Promise<void> {
      sizes.push(entries.length)
      if (entries.length > 60) throw Object.assign(new Error('out of shared memory'), { code: '53200' })
    }
  }
  await new Small(source, 1).run(new AbortController().signal)
  expect(source.acked).toEqual(a(1, 200))
  expect(sizes).toEqual([200, 100, 50, 50, 100, 50, 50])
})
