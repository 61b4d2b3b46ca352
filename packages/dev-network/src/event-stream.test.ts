import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { collectFrames } from './collect-frames.ts'
import { cursorOf, EventStream, type EventStreamOptions } from './event-stream.ts'
import { decodeFrame } from './frame.ts'
import { LocalServer, sendText } from './http.ts'
import { must } from './testing/client.ts'

/** Polls wait for a second unless told otherwise, which is little on a machine that is busy. */
const patient = { timeout: 20_000 }

async function serve(options?: EventStreamOptions): Promise<{ stream: EventStream; server: LocalServer }> {
  const stream = new EventStream(options)
  const server = await LocalServer.start({
    handle: (_url, _request, response) => sendText(response, 404, ''),
    streams: { 'test.stream': (socket, url) => stream.accept(socket, cursorOf(url)) },
  })
  return { stream, server }
}

const write = (stream: EventStream, count: number): void => {
  for (let index = 0; index < count; index++) stream.appendMessage('#number', { index })
}

const seqs = (frames: Uint8Array[]): unknown[] => frames.map((frame) => decodeFrame(frame).body['seq'])

test('a cursor gets what comes after it, then what is new', async () => {
  const { stream, server } = await serve()
  await using _ = server
  write(stream, 5)
  const collecting = collectFrames({ host: server.url, method: 'test.stream', cursor: 3, count: 4 })
  await expect.poll(() => stream.connections, patient).toBe(1)
  write(stream, 2)
  expect(seqs(await collecting)).toEqual([4, 5, 6, 7])
})

test('without a cursor only new frames come, with cursor 0 all of them (I3)', async () => {
  const { stream, server } = await serve()
  await using _ = server
  write(stream, 3)
  const live = collectFrames({ host: server.url, method: 'test.stream', count: 1 })
  const all = collectFrames({ host: server.url, method: 'test.stream', cursor: 0, count: 4 })
  await expect.poll(() => stream.connections, patient).toBe(2)
  write(stream, 1)
  expect(seqs(await live)).toEqual([4])
  expect(seqs(await all)).toEqual([1, 2, 3, 4])
})

test('a cursor in front of the window is told so and gets the oldest there is (I8)', async () => {
  const { stream, server } = await serve({ window: 10 })
  await using _ = server
  write(stream, 100)
  const oldest = 101 - stream.length
  const [info, first] = await collectFrames({ host: server.url, method: 'test.stream', cursor: 1, count: 2 })
  expect(decodeFrame(must(info))).toMatchObject({ header: { t: '#info' }, body: { name: 'OutdatedCursor' } })
  expect(decodeFrame(must(first)).body['seq']).toBe(oldest)
  expect(seqs(await collectFrames({ host: server.url, method: 'test.stream', cursor: 0, count: 1 }))).toEqual([oldest])
})

test('a cursor from the future is an error (I7)', async () => {
  const { stream, server } = await serve()
  await using _ = server
  write(stream, 1)
  const frames = await collectFrames({ host: server.url, method: 'test.stream', cursor: 2 })
  expect(frames.map(decodeFrame)).toMatchObject([{ header: { op: -1 }, body: { error: 'FutureCursor' } }])
})

test('who does not read is ConsumerTooSlow, and nobody else suffers (I9)', async () => {
  const { stream, server } = await serve({ maxLagBytes: 1 << 20 })
  await using _ = server
  const slow = new WebSocket(`${server.url.replace('http', 'ws')}/xrpc/test.stream`)
  const received: Uint8Array[] = []
  slow.on('message', (data: Buffer) => received.push(new Uint8Array(data)))
  await new Promise((resolve) => slow.once('open', resolve))
  await expect.poll(() => stream.connections, patient).toBe(1)
  slow.pause()
  const blocks = new Uint8Array(100_000)
  for (let index = 0; index < 300; index++) {
    stream.appendMessage('#large', { blocks })
    await new Promise((resolve) => setImmediate(resolve))
  }
  const closed = new Promise((resolve) => slow.once('close', resolve))
  slow.resume()
  await closed
  expect(decodeFrame(must(received.at(-1)))).toMatchObject({
    header: { op: -1 },
    body: { error: 'ConsumerTooSlow' },
  })
  expect(seqs(await collectFrames({ host: server.url, method: 'test.stream', cursor: 298, count: 2 }))).toEqual([
    299, 300,
  ])
})

test('held frames come after the release', async () => {
  const { stream, server } = await serve()
  await using _ = server
  write(stream, 4)
  stream.hold(2)
  const before = await collectFrames({ host: server.url, method: 'test.stream', cursor: 0, count: 2 })
  const rest = collectFrames({ host: server.url, method: 'test.stream', cursor: 2, count: 2 })
  await expect.poll(() => stream.connections, patient).toBe(1)
  stream.release()
  expect(seqs(before)).toEqual([1, 2])
  expect(seqs(await rest)).toEqual([3, 4])
})

test('garbage in the log is met again by a cursor before it (I11)', async () => {
  const { stream, server } = await serve()
  await using _ = server
  write(stream, 1)
  const garbage = Uint8Array.of(0xff, 0x00)
  expect(stream.appendRaw(garbage)).toBe(2)
  write(stream, 1)
  for (let attempt = 0; attempt < 2; attempt++) {
    const frames = await collectFrames({ host: server.url, method: 'test.stream', cursor: 1, count: 2 })
    expect(frames[0]).toEqual(garbage)
    expect(seqs(frames.slice(1))).toEqual([3])
  }
})

test('a gate stops a connection until it opens', async () => {
  const gate = Promise.withResolvers<void>()
  const { stream, server } = await serve({ gate: (seq) => (seq > 1 ? gate.promise : undefined) })
  await using _ = server
  write(stream, 2)
  const all = collectFrames({ host: server.url, method: 'test.stream', cursor: 0, count: 2 })
  expect(seqs(await collectFrames({ host: server.url, method: 'test.stream', cursor: 0, count: 1 }))).toEqual([1])
  gate.resolve()
  expect(seqs(await all)).toEqual([1, 2])
})

test('connections can be dropped, or ended with an error', async () => {
  const { stream, server } = await serve()
  await using _ = server
  const dropped = collectFrames({ host: server.url, method: 'test.stream' })
  await expect.poll(() => stream.connections, patient).toBe(1)
  stream.dropConnections()
  expect(await dropped).toEqual([])
  const ended = collectFrames({ host: server.url, method: 'test.stream' })
  await expect.poll(() => stream.connections, patient).toBe(1)
  stream.sendRaw(Uint8Array.of(1))
  stream.sendError('ConsumerTooSlow')
  const [raw, error] = await ended
  expect(raw).toEqual(Uint8Array.of(1))
  expect(decodeFrame(must(error)).body).toMatchObject({ error: 'ConsumerTooSlow' })
})
