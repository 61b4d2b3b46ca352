import { randomUUID } from 'node:crypto'
import { describe, expect, test as base, type TestAPI } from 'vitest'
import {
  CursorConflictError,
  sleep,
  streamEventCodec,
  type BatchSource,
  type Codec,
  type ConsumerOptions,
  type EventSink,
  type RecordJson,
  type StreamEvent,
  type StreamStatus,
  type StreamStore,
  type WriterOptions,
} from '../index.ts'
import { BatchReader } from './batch-reader.ts'
import { numberCodec, numbers, rawCodec } from './number-codec.ts'

/**
 * What every `StreamStore` does, as a suite for vitest.
 *
 * @param open Opens a store on the same data each time: two that are open at once stand for two processes. Every test
 * uses streams of its own, so the data need not be empty.
 */
export function describeStreamStore(name: string, open: () => Promise<StreamStore>): void {
  const test = base.extend<{ setting: Setting }>({
    setting: async ({ task }, use) => {
      await using store = await open()
      await use(new Setting(store, task.id))
    },
  })

  describe(name, () => {
    describeAppending(test, open)
    describeReading(test, open)
    describeConsumers(test)
    describeAcking(test)
    describeCursors(test)
    describeHighWaterMark(test)
    describeStatus(test)
  })
}

const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const anEvent = {
  type: 'create',
  time: '2025-10-14T00:00:00.000Z',
  did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
  commit: cid,
  rev: '3l4aaaaaaaa2a',
  collection: 'app.bsky.feed.post',
  cid,
} as const

/** Records that some hop might change, as JSON text. */
const oddRecords = [
  '{}',
  '{"b":1,"a":2,"":3}',
  '{"9007199254740991":9007199254740991,"a":-9007199254740991,"zero":0}',
  '{"text":"\\u0000 é 🦋 \\ud800 \uFEFF\u2028\u2029 \\\\u0000 \\"quoted\\" \\n\\r\\t"}',
  '{"__proto__":{"admin":true},"constructor":1,"toString":null}',
  `{"a":${'['.repeat(63)}${']'.repeat(63)}}`,
  `{"link":{"$link":"${cid}"},"bytes":{"$bytes":"AQIDBA"},"none":{"$bytes":""}}`,
  `{"text":"${'🦋'.repeat(100_000)}"}`,
]

type SettingTest = TestAPI<{ setting: Setting }>

/** One stream with its name, and short ways to use it. */
class Setting {
  readonly store: StreamStore
  readonly stream: string
  readonly cursorKey: string

  constructor(store: StreamStore, testId: string) {
    this.store = store
    this.stream = `suite:${testId}:${randomUUID()}`
    this.cursorKey = `${this.stream}:cursor:host`
  }

  writer(options: Partial<WriterOptions<number>> = {}): EventSink<number> {
    return this.store.writer({ stream: this.stream, codec: numberCodec, checkMs: 10, ...options })
  }

  textWriter(codec: Codec<string> = rawCodec): EventSink<string> {
    return this.store.writer({ stream: this.stream, codec })
  }

  source(options: Partial<ConsumerOptions<number>> = {}, store = this.store): BatchSource<number> {
    return store.consumer({ stream: this.stream, group: 'group', consumer: 'one', codec: numberCodec, ...options })
  }

  reader(options: Partial<ConsumerOptions<number>> = {}, store = this.store): BatchReader<number> {
    return new BatchReader(this.source(options, store))
  }

  async status(): Promise<StreamStatus> {
    const [status] = await this.store.status([this.stream])
    return status!
  }

  async length(): Promise<number> {
    return (await this.status()).length
  }

  /** How long a consumer has had the first entry that is pending. */
  async pendingMs(): Promise<number> {
    const [pending] = await this.store.pending(this.stream, 'group', { after: '0-0', limit: 1 })
    return pending!.idleMs
  }

  async cursor(): Promise<string | null> {
    return await this.store.cursors.get(this.cursorKey)
  }
}

function describeAppending(test: SettingTest, open: () => Promise<StreamStore>): void {
  test('entries stand in the order of their appends, under rising ids', async ({ setting }) => {
    const writer = setting.writer()
    await writer.append([1, 2, 3])
    await writer.append([4])
    await writer.append([5, 6])
    await using reader = setting.reader({ batchSize: 100 })
    const { entries } = await reader.next()
    expect(entries.map(({ event }) => event)).toEqual([1, 2, 3, 4, 5, 6])
    const ids = entries.map(({ id }) => id)
    expect(ids.toSorted(compareIds)).toEqual(ids)
    expect(new Set(ids).size).toBe(6)
  })

  test('a batch of thousands keeps its order', async ({ setting }) => {
    await setting.writer().append(numbers(5_000))
    await using reader = setting.reader({ batchSize: 1_000 })
    expect(await reader.events(5_000)).toEqual(numbers(5_000))
  })

  test('ids rise on after all entries have gone', async ({ setting }) => {
    await using reader = setting.reader()
    await setting.writer().append(numbers(50))
    const [first] = await reader.take(50)
    await first!.ack()
    await setting.writer().append([51])
    const [second] = await reader.take(1)
    expect(compareIds(first!.entries.at(-1)!.id, second!.entries[0]!.id)).toBeLessThan(0)
  })

  test('an append of nothing does nothing', async ({ setting }) => {
    await setting.writer().append([])
    expect(await setting.length()).toBe(0)
  })

  test('text of every kind comes back as it was', async ({ setting }) => {
    const texts = ['', 'plain', 'é 🦋 \u2028 "quoted" \\ \n', '\u0000', 'x'.repeat(1_000_000)]
    await setting.textWriter().append(texts)
    await using reader = new BatchReader(
      setting.store.consumer({ stream: setting.stream, group: 'group', consumer: 'one', codec: rawCodec }),
    )
    expect(await reader.events(texts.length)).toEqual(texts)
  })

  test('a record comes out as it went in, byte for byte of its JSON (J14)', async ({ setting }) => {
    const records = oddRecords.map((text) => JSON.parse(text) as RecordJson)
    const events = records.map((record, seq): StreamEvent => ({ ...anEvent, seq, rkey: String(seq), record }))
    const codec = streamEventCodec
    await setting.store.writer({ stream: setting.stream, codec }).append(events)
    await using reader = new BatchReader(
      setting.store.consumer({ stream: setting.stream, group: 'group', consumer: 'one', codec }),
    )
    const read = await reader.events(events.length)
    expect(read).toEqual(events)
    expect(read.map((event) => JSON.stringify('record' in event && event.record))).toEqual(oddRecords)
  })

  test('what one process appends another one reads', async ({ setting }) => {
    await using other = await open()
    await using reader = setting.reader({}, other)
    const received = reader.events(3)
    await setting.writer().append([1, 2])
    await setting.writer().append([3])
    expect(await received).toEqual([1, 2, 3])
  })
}

function describeReading(test: SettingTest, open: () => Promise<StreamStore>): void {
  test('a group begins at the first entry of the stream (S4)', async ({ setting }) => {
    await setting.writer().append([1, 2])
    await setting.store.ensureGroup(setting.stream, 'group')
    await setting.store.ensureGroup(setting.stream, 'group')
    await using reader = setting.reader()
    expect(await reader.events(2)).toEqual([1, 2])
  })

  test('a batch holds at most batchSize entries', async ({ setting }) => {
    await setting.writer().append(numbers(7))
    await using reader = setting.reader({ batchSize: 3 })
    const batches = await reader.take(7)
    expect(batches.map(({ entries }) => entries.length)).toEqual([3, 3, 1])
  })

  test('a long stream makes full batches, read in steps and in order', async ({ setting }) => {
    await setting.writer().append(numbers(1_000))
    await using reader = setting.reader({ batchSize: 400 })
    const batches = await reader.take(1_000)
    expect(batches.map(({ entries }) => entries.length)).toEqual([400, 400, 200])
    expect(batches.flatMap(({ entries }) => entries.map(({ event }) => event))).toEqual(numbers(1_000))
  })

  test('large entries make short batches, so that none is large in memory', async ({ setting }) => {
    const large = Array.from({ length: 24 }, (_, i) => String(i).padEnd(1024 * 1024, '.'))
    await setting.store.writer({ stream: setting.stream, codec: rawCodec }).append(large)
    const options = { stream: setting.stream, group: 'group', consumer: 'one', codec: rawCodec, batchSize: 1_000 }
    await using reader = new BatchReader(setting.store.consumer(options))
    const batches = await reader.take(24)
    expect(Math.max(...batches.map(({ entries }) => entries.length))).toBeLessThanOrEqual(16)
    expect(batches.flatMap(({ entries }) => entries.map(({ event }) => event))).toEqual(large)
  })

  test('a waiting reader gets what is appended, and delays no writer', async ({ setting }) => {
    await using reader = setting.reader({ blockMs: 3_600_000, claimIdleMs: 3_600_000 })
    const received = reader.next()
    await until(async () => (await setting.status()).groups.length === 1)
    await sleep(50)
    await setting.store.writer({ stream: `${setting.stream}:other`, codec: numberCodec }).append([1])
    await setting.store.cursors.set(setting.cursorKey, '1')
    await setting.writer().append([2])
    expect((await received).entries.map(({ event }) => event)).toEqual([2])
  })

  test('abort ends a run that waits for entries', async ({ setting }) => {
    const reader = setting.reader({ blockMs: 3_600_000 })
    const received = reader.next().catch(String)
    await until(async () => (await setting.status()).groups.length === 1)
    await reader.stop()
    expect(await received).toContain('the run is over')
  })

  test('abort ends a run that is between two batches', async ({ setting }) => {
    await setting.writer().append([1, 2])
    const controller = new AbortController()
    const events: number[] = []
    for await (const batch of setting.source({ batchSize: 1 }).batches(controller.signal)) {
      events.push(...batch.entries.map(({ event }) => event))
      controller.abort()
    }
    expect(events).toEqual([1])
  })

  test('a signal that was aborted before gives no batch', async ({ setting }) => {
    await setting.writer().append([1])
    const batches = setting.source().batches(AbortSignal.abort())
    expect(await batches[Symbol.asyncIterator]().next()).toMatchObject({ done: true })
  })

  test('entries not acked come back after a restart of their consumer, before new ones (G3)', async ({ setting }) => {
    await setting.writer().append(numbers(5))
    const before = setting.reader({ batchSize: 2 })
    const [first, second] = await before.take(4)
    await first!.ack()
    await before.stop()
    await using after = setting.reader({ batchSize: 10 })
    const recovered = await after.next()
    expect(recovered.entries).toEqual(second!.entries)
    expect(await after.events(1)).toEqual([5])
  })

  test('a long pending list is recovered in batches, in order', async ({ setting }) => {
    await setting.writer().append(numbers(2_500))
    const before = setting.reader({ batchSize: 500 })
    await before.take(2_500)
    await before.stop()
    await using after = setting.reader({ batchSize: 400 })
    const batches = await after.take(2_500)
    expect(batches.flatMap(({ entries }) => entries.map(({ event }) => event))).toEqual(numbers(2_500))
    expect(Math.max(...batches.map(({ entries }) => entries.length))).toBeLessThanOrEqual(400)
    expect(batches.length).toBeLessThan(50)
  })

  test('an entry is not given out twice in one run while it is not acked', async ({ setting }) => {
    await setting.writer().append([1, 2])
    // Its own entries are idle for far longer than that: the run looks for idle ones again and again.
    await using reader = setting.reader({ claimIdleMs: 5, blockMs: 10 })
    const first = await reader.next()
    const later = reader.events(1)
    await sleep(100)
    await setting.writer().append([3])
    expect(await later).toEqual([3])
    expect(first.entries.map(({ event }) => event)).toEqual([1, 2])
  })

  test('an entry that was taken over and comes back is not given out twice in one run', async ({ setting }) => {
    await setting.writer().append([1, 2])
    await using slow = setting.reader({ consumer: 'slow', claimIdleMs: 30, blockMs: 10 })
    await slow.events(2)
    const thief = setting.reader({ consumer: 'thief', claimIdleMs: 30, blockMs: 10 })
    expect(await thief.events(2)).toEqual([1, 2])
    await thief.stop()
    const later = slow.events(1)
    await sleep(100)
    await setting.writer().append([3])
    expect(await later).toEqual([3])
  })

  test('two consumers of a group get different entries', async ({ setting }) => {
    await setting.writer().append(numbers(4))
    await using one = setting.reader({ consumer: 'one', batchSize: 2 })
    await using two = setting.reader({ consumer: 'two', batchSize: 2 })
    const shares = [await one.events(2), await two.events(2)]
    expect(shares.flat().toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4])
  })

  test('many consumers in two processes together get every entry once', async ({ setting }) => {
    await using other = await open()
    const stores = [setting.store, other, setting.store, other]
    const controller = new AbortController()
    const events: number[] = []
    const runs = stores.map(async (store, i) => {
      const source = setting.source({ consumer: `consumer-${i}`, batchSize: 7 }, store)
      for await (const batch of source.batches(controller.signal)) {
        events.push(...batch.entries.map(({ event }) => event))
        await batch.ack()
        if (events.length >= 300) controller.abort()
      }
    })
    for (const first of [1, 101, 201]) await setting.writer().append(numbers(100, first))
    await Promise.all(runs)
    expect(events.toSorted((a, b) => a - b)).toEqual(numbers(300))
    expect(await setting.length()).toBe(0)
  })

  test('entries of a consumer that is gone are taken over once idle (S6)', async ({ setting }) => {
    await setting.writer().append([1, 2, 3])
    const gone = setting.reader({ consumer: 'gone' })
    const [batch] = await gone.take(3)
    await batch!.ack([batch!.entries[0]!.id])
    await gone.stop()
    await using heir = setting.reader({ consumer: 'heir', claimIdleMs: 30, blockMs: 10 })
    const [claimed] = await heir.take(2)
    expect(claimed!.entries.map(({ event }) => event)).toEqual([2, 3])
    await claimed!.ack()
    expect(await setting.length()).toBe(0)
  })

  test('entries of a consumer that is at work are left to it', async ({ setting }) => {
    await setting.writer().append([1])
    await using busy = setting.reader({ consumer: 'busy' })
    await busy.events(1)
    await using other = setting.reader({ consumer: 'other', claimIdleMs: 3_600_000 })
    const received = other.events(1)
    await setting.writer().append([2])
    expect(await received).toEqual([2])
  })

  test('entries are kept for as long as they are at work, and are taken over once their consumer is gone (S6, B18)', async ({
    setting,
  }) => {
    await setting.writer().append([1])
    const busy = setting.reader({ consumer: 'busy', claimIdleMs: 400, keepsClaims: true })
    await busy.take(1)
    // It only grows by itself.
    for (let idleMs = await setting.pendingMs(), before = 0; idleMs >= before; idleMs = await setting.pendingMs()) {
      before = idleMs
      await sleep(20)
    }
    await busy.stop()
    await using heir = setting.reader({ consumer: 'heir', claimIdleMs: 30, blockMs: 10 })
    expect(await heir.events(1)).toEqual([1])
  })

  test('what cannot be decoded comes as rejected, with its text, and can be acked (S20)', async ({ setting }) => {
    await setting.textWriter().append(['{"n":1}', 'garbage', '{"n":2}'])
    await setting.textWriter({ ...rawCodec, field: 'other' }).append(['{"n":3}'])
    await using reader = setting.reader()
    const batches = await reader.take(4)
    const rejected = batches.flatMap((batch) => batch.rejected)
    expect(batches.flatMap(({ entries }) => entries.map(({ event }) => event))).toEqual([1, 2])
    expect(rejected.map(({ raw, error }) => ({ raw, reason: error.reason }))).toEqual([
      { raw: 'garbage', reason: 'bad-number' },
      { raw: null, reason: 'no-field' },
    ])
    for (const batch of batches) await batch.ack(batch.rejected.map(({ id }) => id))
    expect(await setting.length()).toBe(2)
  })

  test('a decoder that breaks rejects its entry only (G11)', async ({ setting }) => {
    await setting.writer().append([1, 2])
    const codec: Codec<number> = {
      ...numberCodec,
      decode: (text) => {
        if (text.includes('1')) throw new TypeError('a defect of ours')
        return numberCodec.decode(text)
      },
    }
    await using reader = setting.reader({ codec })
    const [batch] = await reader.take(2)
    expect(batch!.entries.map(({ event }) => event)).toEqual([2])
    expect(batch!.rejected[0]).toMatchObject({ raw: '{"n":1}', error: { cause: { message: 'a defect of ours' } } })
  })
}

function describeConsumers(test: SettingTest): void {
  test('a consumer is forgotten once it is idle and has nothing pending (S9)', async ({ setting }) => {
    const { store, stream } = setting
    const consumers = async (): Promise<string[]> =>
      (await setting.status()).groups.flatMap((group) => group.consumers.map(({ name }) => name)).toSorted()
    await setting.writer().append([1, 2])
    const working = setting.reader({ consumer: 'working', batchSize: 1 })
    const [held] = await working.take(1)
    await working.stop()
    const done = setting.reader({ consumer: 'done', batchSize: 1 })
    const [batch] = await done.take(1)
    await batch!.ack()
    await done.stop()

    expect(await store.removeIdleConsumers(stream, 'group', 3_600_000)).toEqual([])
    expect(await store.removeIdleConsumers(stream, 'group', 0)).toEqual(['done'])
    expect(await consumers()).toEqual(['working'])
    // What it has is not lost with it.
    await using again = setting.reader({ consumer: 'working' })
    expect((await again.next()).entries).toEqual(held!.entries)
  })

  test('a consumer that was forgotten and lives goes on (S9)', async ({ setting }) => {
    const { store, stream } = setting
    await using reader = setting.reader({ claimIdleMs: 30, blockMs: 10 })
    await setting.writer().append([1])
    const [first] = await reader.take(1)
    await first!.ack()
    await store.removeIdleConsumers(stream, 'group', 0)
    await setting.writer().append([2, 3])
    expect(await reader.events(2)).toEqual([2, 3])
  })

  test('a group that does not exist has nobody to forget', async ({ setting }) => {
    expect(await setting.store.removeIdleConsumers(setting.stream, 'group', 0)).toEqual([])
    await setting.writer().append([1])
    expect(await setting.store.removeIdleConsumers(setting.stream, 'group', 0)).toEqual([])
  })
}

function describeAcking(test: SettingTest): void {
  test('an ack takes entries out of the stream (S1)', async ({ setting }) => {
    await setting.writer().append([1, 2, 3])
    await using reader = setting.reader()
    const [batch] = await reader.take(3)
    expect(await setting.length()).toBe(3)
    await batch!.ack()
    const { length, groups } = await setting.status()
    expect({ length, pending: groups[0]!.pending }).toEqual({ length: 0, pending: 0 })
  })

  test('an ack of some entries leaves the others, which a later ack takes', async ({ setting }) => {
    await setting.writer().append([1, 2, 3])
    const reader = setting.reader()
    const [batch] = await reader.take(3)
    await batch!.ack([batch!.entries[1]!.id])
    expect(await setting.length()).toBe(2)
    await batch!.ack([])
    expect(await setting.length()).toBe(2)
    await batch!.ack()
    expect(await setting.length()).toBe(0)
    await batch!.ack()
    await reader.stop()
  })

  test('a batch can be acked after its run has ended', async ({ setting }) => {
    await setting.writer().append([1])
    const reader = setting.reader()
    const [batch] = await reader.take(1)
    await reader.stop()
    await batch!.ack()
    expect(await setting.length()).toBe(0)
  })

  test('an ack for entries that someone else has acked changes nothing (S7)', async ({ setting }) => {
    await setting.writer().append([1, 2])
    const zombie = setting.reader({ consumer: 'zombie' })
    const [stale] = await zombie.take(2)
    await zombie.stop()
    await using heir = setting.reader({ consumer: 'heir', claimIdleMs: 10, blockMs: 10 })
    const [claimed] = await heir.take(2)
    await claimed!.ack([claimed!.entries[0]!.id])
    await stale!.ack([claimed!.entries[0]!.id])
    const { length, groups } = await setting.status()
    expect({ length, pending: groups[0]!.pending }).toEqual({ length: 1, pending: 1 })
  })

  test('an entry stays until every group has acked it', async ({ setting }) => {
    for (const group of ['a', 'b']) await setting.store.ensureGroup(setting.stream, group)
    await setting.writer().append(numbers(4))
    await using a = setting.reader({ group: 'a' })
    await using b = setting.reader({ group: 'b', batchSize: 3 })

    const [ofA] = await a.take(4)
    await ofA!.ack()
    expect(await setting.length()).toBe(4)

    const [ofB] = await b.take(3)
    expect(ofB!.entries.map(({ event }) => event)).toEqual([1, 2, 3])
    await ofB!.ack(ofB!.entries.slice(1).map(({ id }) => id))
    expect(await setting.length()).toBe(2)
    await ofB!.ack()
    expect(await setting.length()).toBe(1)

    const [rest] = await b.take(1)
    expect(rest!.entries.map(({ event }) => event)).toEqual([4])
    await rest!.ack()
    expect(await setting.length()).toBe(0)
  })

  test('a group that has read but not acked keeps its entries from the ack of another', async ({ setting }) => {
    for (const group of ['a', 'b']) await setting.store.ensureGroup(setting.stream, group)
    await setting.writer().append([1, 2])
    const dead = setting.reader({ group: 'a' })
    await dead.take(2)
    await dead.stop()
    await using b = setting.reader({ group: 'b' })
    const [ofB] = await b.take(2)
    await ofB!.ack()
    await using restarted = setting.reader({ group: 'a' })
    expect(await restarted.events(2)).toEqual([1, 2])
  })
}

function describeCursors(test: SettingTest): void {
  test('a cursor is absent, and then what was set', async ({ setting }) => {
    expect(await setting.cursor()).toBeNull()
    await setting.store.cursors.set(setting.cursorKey, '12')
    await setting.store.cursors.set(setting.cursorKey, '13')
    expect(await setting.cursor()).toBe('13')
    await setting.store.cursors.delete(setting.cursorKey)
    await setting.store.cursors.delete(setting.cursorKey)
    expect(await setting.cursor()).toBeNull()
  })

  test('an append moves its cursor along (I1)', async ({ setting }) => {
    const writer = setting.writer()
    await writer.append([1, 2], { cursor: { key: setting.cursorKey, from: null, to: '2' } })
    await writer.append([3], { cursor: { key: setting.cursorKey, from: '2', to: '3' } })
    await writer.append([], { cursor: { key: setting.cursorKey, from: '3', to: '9' } })
    expect([await setting.cursor(), await setting.length()]).toEqual(['9', 3])
  })

  test.for([
    { case: 'another one is stored', stored: '5', from: '4' },
    { case: 'none is stored', stored: null, from: '4' },
    { case: 'one is stored where none was expected', stored: '5', from: null },
    { case: 'an empty one is stored where none was expected', stored: '', from: null },
  ])('a cursor that is not the expected one refuses the append: $case (I1)', async ({ stored, from }, { setting }) => {
    const key = setting.cursorKey
    if (stored !== null) await setting.store.cursors.set(key, stored)
    const append = setting.writer().append([1], { cursor: { key, from, to: '6' } })
    const error = await append.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(CursorConflictError)
    expect(error).toMatchObject({ key, expected: from, stored })
    expect([await setting.cursor(), await setting.length()]).toEqual([stored, 0])
  })

  test('a repeated append is there once (I1)', async ({ setting }) => {
    const writer = setting.writer()
    const cursor = { key: setting.cursorKey, from: null, to: '2' }
    await writer.append([1, 2], { cursor })
    await writer.append([1, 2], { cursor })
    expect([await setting.cursor(), await setting.length()]).toEqual(['2', 2])
  })

  test('of two writers that advance one cursor at once, one is refused (I1)', async ({ setting }) => {
    const key = setting.cursorKey
    const outcomes = await Promise.allSettled([
      setting.writer().append([1, 2], { cursor: { key, from: null, to: '2' } }),
      setting.writer().append([3], { cursor: { key, from: null, to: '3' } }),
    ])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await setting.length()).toBe((await setting.cursor()) === '2' ? 2 : 1)
  })
}

function describeHighWaterMark(test: SettingTest): void {
  test('an append at the high water mark waits until entries have left', async ({ setting }) => {
    const writer = setting.writer({ highWaterMark: 3 })
    await writer.append([1, 2, 3])
    const waiting = writer.append([4], { cursor: { key: setting.cursorKey, from: null, to: '4' } })
    await sleep(60)
    expect([await setting.length(), await setting.cursor()]).toEqual([3, null])
    await using reader = setting.reader()
    const batch = await reader.next()
    await batch.ack([batch.entries[0]!.id])
    await waiting
    expect([await setting.length(), await setting.cursor()]).toEqual([3, '4'])
  })

  test('a writer that waits goes on once a tenth has left, and one that comes then does not wait (S14)', async ({
    setting,
  }) => {
    const writer = setting.writer({ highWaterMark: 20 })
    await writer.append(numbers(20))
    const waiting = writer.append([21])
    await using reader = setting.reader()
    const batch = await reader.next()
    const ids = batch.entries.map(({ id }) => id)
    await batch.ack(ids.slice(0, 1))
    await sleep(60)
    expect(await setting.length()).toBe(19)
    await setting.writer({ highWaterMark: 20, checkMs: 3_600_000 }).append([22])
    await batch.ack(ids.slice(1, 4))
    await waiting
    expect(await setting.length()).toBe(18)
  })

  test('bytes make writers wait as well as entries do (S14)', async ({ setting }) => {
    const writer = setting.writer({ highWaterBytes: 1_000 })
    await writer.append(numbers(1_000))
    const waiting = writer.append([1], { cursor: { key: setting.cursorKey, from: null, to: '1' } })
    await sleep(60)
    expect(await setting.cursor()).toBeNull()
    await using reader = setting.reader()
    while ((await setting.cursor()) === null) await (await reader.next()).ack()
    await waiting
  })

  test('a batch that finds the stream below the mark goes in whole', async ({ setting }) => {
    await setting.writer({ highWaterMark: 3 }).append(numbers(10))
    expect(await setting.length()).toBe(10)
  })

  test('abort ends the wait with its reason, and nothing is appended', async ({ setting }) => {
    const writer = setting.writer({ highWaterMark: 1, checkMs: 3_600_000 })
    await writer.append([1])
    const controller = new AbortController()
    const cursor = { key: setting.cursorKey, from: null, to: '2' }
    const waiting = writer.append([2], { cursor, signal: controller.signal })
    const reason = new Error('stopping')
    await Promise.all([expect(waiting).rejects.toBe(reason), sleep(20).then(() => controller.abort(reason))])
    expect([await setting.length(), await setting.cursor()]).toEqual([1, null])
  })

  test('a signal that was aborted before appends nothing', async ({ setting }) => {
    const reason = new Error('stopping')
    await expect(setting.writer().append([1], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(await setting.length()).toBe(0)
  })

  test('a repeated append does not wait at the mark', async ({ setting }) => {
    const writer = setting.writer({ highWaterMark: 2, checkMs: 3_600_000 })
    const cursor = { key: setting.cursorKey, from: null, to: '2' }
    await writer.append([1, 2], { cursor })
    await writer.append([1, 2], { cursor })
    expect(await setting.length()).toBe(2)
  })

  test('a cursor alone does not wait at the mark', async ({ setting }) => {
    const writer = setting.writer({ highWaterMark: 1, checkMs: 3_600_000 })
    await writer.append([1])
    await writer.append([], { cursor: { key: setting.cursorKey, from: null, to: '2' } })
    expect(await setting.cursor()).toBe('2')
  })
}

function describeStatus(test: SettingTest): void {
  test('a stream that does not exist has length 0', async ({ setting }) => {
    expect(await setting.status()).toEqual({
      stream: setting.stream,
      length: 0,
      firstId: null,
      lastId: null,
      groups: [],
    })
  })

  test('the status tells what was appended, what is delivered, pending and left (S11)', async ({ setting }) => {
    await setting.writer().append(numbers(6))
    await using reader = setting.reader({ batchSize: 2 })
    const [first, second] = await reader.take(4)
    await first!.ack()
    const status = await setting.status()
    expect(status).toMatchObject({ length: 4, appended: 6, firstId: second!.entries[0]!.id })
    expect(compareIds(status.firstId!, status.lastId!)).toBeLessThan(0)
    expect(status.groups).toEqual([
      {
        name: 'group',
        pending: 2,
        undelivered: 2,
        oldestPendingId: second!.entries[0]!.id,
        lastDeliveredId: second!.entries[1]!.id,
        consumers: [{ name: 'one', pending: 2, idleMs: expect.any(Number) }],
      },
    ])
  })

  test('each group has its own numbers', async ({ setting }) => {
    await setting.writer().append(numbers(3))
    for (const group of ['a', 'b']) await setting.store.ensureGroup(setting.stream, group)
    await using reader = setting.reader({ group: 'a' })
    await reader.take(3)
    const { length, groups } = await setting.status()
    expect(length).toBe(3)
    expect(groups.map(({ name, pending, undelivered }) => ({ name, pending, undelivered }))).toEqual([
      { name: 'a', pending: 3, undelivered: 0 },
      { name: 'b', pending: 0, undelivered: 3 },
    ])
  })

  test('entries can be looked at, whoever has read them, and nobody is given them', async ({ setting }) => {
    await setting.writer().append(numbers(5))
    await using reader = setting.reader({ batchSize: 2 })
    const batch = await reader.next()
    const { store, stream } = setting
    const all = await store.read(stream, { after: '0-0', limit: 10 })
    expect(all.map(({ fields }) => fields)).toEqual(
      numbers(5).map((n) => ({ [numberCodec.field]: numberCodec.encode(n) })),
    )
    expect(await store.read(stream, { after: all[1]!.id, limit: 2 })).toEqual(all.slice(2, 4))
    expect(await store.read(stream, { after: `${Date.now() + 60_000}-0`, limit: 10 })).toEqual([])
    expect(await store.read(`${stream}:none`, { after: '0-0', limit: 10 })).toEqual([])
    await batch.ack()
    expect((await setting.status()).groups[0]).toMatchObject({ pending: 0, undelivered: 3 })
  })

  test('what is pending names its consumer and how long it has had it', async ({ setting }) => {
    await setting.writer().append(numbers(4))
    await using reader = setting.reader({ batchSize: 3 })
    const { entries } = await reader.next()
    const { store, stream } = setting
    const pending = await store.pending(stream, 'group', { after: '0-0', limit: 10 })
    expect(pending).toEqual(
      entries.map(({ id }) => ({
        id,
        consumer: 'one',
        idleMs: expect.any(Number),
        deliveries: pending[0]!.deliveries,
      })),
    )
    expect([null, 1]).toContain(pending[0]!.deliveries)
    expect(await store.pending(stream, 'group', { after: pending[0]!.id, limit: 1 })).toMatchObject([
      { id: pending[1]!.id },
    ])
    expect(await store.pending(stream, 'other', { after: '0-0', limit: 1 })).toEqual([])
    expect(await store.pending(`${stream}:none`, 'group', { after: '0-0', limit: 1 })).toEqual([])
  })

  test('a store describes itself', async ({ setting }) => {
    const { version, now } = await setting.store.describe()
    expect(version).toMatch(/^(Redis|SQLite) \d/)
    expect(Math.abs(now - Date.now())).toBeLessThan(60_000)
  })

  test('a store that answers can be pinged, and says what it is', async ({ setting }) => {
    await setting.store.ping()
    expect(['redis', 'sqlite']).toContain(setting.store.kind)
    expect(setting.store.location).not.toBe('')
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5)
}

/** Below zero when `a` is before `b`. */
function compareIds(a: string, b: string): number {
  const [aTime = '', aNumber = ''] = a.split('-')
  const [bTime = '', bNumber = ''] = b.split('-')
  return Number(aTime) - Number(bTime) || Number(aNumber) - Number(bNumber)
}
