import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { BatchReader } from '@millrace/stream-protocol/testing'
import { createLogSpy } from '@millrace/testing'
import { expect, test as base, vi } from 'vitest'
import { openSqliteStreams } from './open-sqlite-streams.ts'
import { StreamFile } from './stream-file.ts'

const codec = { field: 'event', encode: String, decode: Number }

const test = base.extend<{ file: string }>({
  file: async ({ task }, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), `millrace-${task.id}-`))
    await use(path.join(folder, 'not', 'yet', 'streams.db'))
    await rm(folder, { recursive: true })
  },
})

test('a process that is killed leaves whole batches, and every one that had resolved (I1)', async ({ file }) => {
  const script = fileURLToPath(new URL('./append-forever.testing.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@millrace/source', script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const exited = once(child, 'exit')
  // This process reads and acks meanwhile: both take turns at the file.
  await using store = await openSqliteStreams({ file })
  await using reader = new BatchReader(store.consumer({ stream: 's', group: 'g', consumer: 'c', codec }))
  const seen: number[] = []
  const readTo = async (count: number): Promise<void> => {
    while (seen.length < count) {
      const batch = await reader.next()
      seen.push(...batch.entries.map(({ event }) => event))
      await batch.ack()
    }
  }
  const reading = readTo(60)
  for await (const line of createInterface({ input: child.stdout })) if (lines.push(line) === 40) child.kill('SIGKILL')
  await exited
  await reading
  const cursor = Number(await store.cursors.get('cursor'))
  await readTo(cursor * 2)
  expect(cursor).toBeGreaterThanOrEqual(Number(lines.at(-1)))
  expect(seen).toEqual(Array.from({ length: cursor * 2 }, (_, i) => Math.floor(i / 2) + 1))
  expect(await store.status(['s'])).toMatchObject([{ length: 0 }])
})

test('while another process writes, an append waits and this process goes on', async ({ file }) => {
  const logger = createLogSpy()
  await using store = await openSqliteStreams({ file, logger })
  using other = new DatabaseSync(file)
  other.exec('begin immediate')
  const appended = store.writer({ stream: 's', codec }).append([1])
  // The event loop turns: the lock is given back from here.
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(await store.status(['s'])).toMatchObject([{ length: 0 }])
  other.exec('commit')
  await appended
  expect(await store.status(['s'])).toMatchObject([{ length: 1 }])
})

test('an append that waits for another process ends with the reason of the abort', async ({ file }) => {
  await using store = await openSqliteStreams({ file })
  using other = new DatabaseSync(file)
  other.exec('begin immediate')
  const controller = new AbortController()
  const reason = new Error('stopping')
  const appended = store
    .writer({ stream: 's', codec })
    .append([1], { signal: controller.signal })
    .catch((error: unknown) => error)
  controller.abort(reason)
  expect(await appended).toBe(reason)
  other.exec('rollback')
  expect(await store.status(['s'])).toMatchObject([{ length: 0 }])
})

test('appends are flushed to the disk, acks go with the next one', async ({ file }) => {
  using streams = await StreamFile.open(file)
  const [full, normal] = [2, 1]
  expect(streams.appends.get('pragma synchronous')).toEqual({ synchronous: full })
  expect(streams.reads.get('pragma synchronous')).toEqual({ synchronous: normal })
  expect(streams.reads.get('pragma journal_mode')).toEqual({ journal_mode: 'wal' })
})

test('a waiting reader wakes at an append of its own process, not at its next look', async ({ file }) => {
  await using store = await openSqliteStreams({ file })
  await using reader = new BatchReader(store.consumer({ stream: 's', group: 'g', consumer: 'c', codec }))
  // No timer runs, so nothing but the append can wake it.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const received = reader.next()
    await store.ping()
    await store.writer({ stream: 's', codec }).append([1])
    await received
    const next = reader.next()
    await store.ping()
    await store.writer({ stream: 's', codec }).append([2])
    expect((await next).entries).toMatchObject([{ event: 2 }])
  } finally {
    vi.useRealTimers()
  }
})

test('entries that are gone while pending are reported as lost (S10)', async ({ file }) => {
  const logger = createLogSpy()
  await using store = await openSqliteStreams({ file, logger })
  await store.writer({ stream: 's', codec }).append([1, 2])
  const source = store.consumer({ stream: 's', group: 'g', consumer: 'c', codec })
  const before = new BatchReader(source)
  await before.take(2)
  await before.stop()
  using other = new DatabaseSync(file)
  other.exec(`delete from entry where text = '1'`)
  await using after = new BatchReader(source)
  const batch = await after.next()
  expect(batch.entries).toMatchObject([{ event: 2 }])
  expect(batch.rejected).toMatchObject([{ raw: null, error: { reason: 'gone' } }])
  expect(logger.messages('error')).toEqual(['pending entries are gone'])
})

test('what was stored is there after the store was closed', async ({ file }) => {
  {
    await using store = await openSqliteStreams({ file })
    await store.writer({ stream: 's', codec }).append([1, 2], { cursor: { key: 'cursor', from: null, to: '2' } })
    const reader = new BatchReader(store.consumer({ stream: 's', group: 'g', consumer: 'c', codec, batchSize: 1 }))
    await reader.take(1)
    await reader.stop()
  }
  await using store = await openSqliteStreams({ file })
  expect(await store.cursors.get('cursor')).toBe('2')
  await using reader = new BatchReader(store.consumer({ stream: 's', group: 'g', consumer: 'c', codec }))
  expect(await reader.events(2)).toEqual([1, 2])
})

test('a file of an older version is brought up to date', async ({ file }) => {
  {
    await using store = await openSqliteStreams({ file })
    await store.writer({ stream: 's', codec }).append([100, 200])
    await store.writer({ stream: 'empty', codec }).append([], { cursor: { key: 'cursor', from: null, to: '2' } })
  }
  using other = new DatabaseSync(file)
  other.exec('alter table stream drop column bytes; alter table stream drop column appended; pragma user_version = 1')
  await using store = await openSqliteStreams({ file })
  await store.writer({ stream: 's', codec }).append([3])
  expect(other.prepare('select name, length, appended, bytes from stream order by name').all()).toEqual([
    { name: 'empty', length: 0, appended: 0, bytes: 0 },
    { name: 's', length: 3, appended: 3, bytes: 7 },
  ])
})

test('a file of a newer version is left alone', async ({ file }) => {
  await (await openSqliteStreams({ file }))[Symbol.asyncDispose]()
  using other = new DatabaseSync(file)
  other.exec('pragma user_version = 99')
  await expect(openSqliteStreams({ file })).rejects.toThrow('newer version (99')
})

test('many stores can open a new file at once', async ({ file }) => {
  const stores = await Promise.all(Array.from({ length: 5 }, () => openSqliteStreams({ file })))
  for (const [i, store] of stores.entries()) await store.writer({ stream: 's', codec }).append([i])
  for (const store of stores) {
    expect(await store.status(['s'])).toMatchObject([{ length: 5 }])
    await store[Symbol.asyncDispose]()
  }
})
