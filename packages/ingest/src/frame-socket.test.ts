import { eventually } from '@millrace/testing'
import { expect, test } from 'vitest'
import { FrameSocket } from './frame-socket.ts'
import { startRelay } from './test-support/relay.ts'

/** A connection to a host, and how to have a frame sent over it. */
async function open(idleMs = 0): Promise<AsyncDisposable & { socket: FrameSocket; send: () => void }> {
  const connected = Promise.withResolvers<() => void>()
  const opened = Promise.withResolvers<void>()
  const relay = await startRelay(({ socket }) => connected.resolve(() => socket.send('frame')))
  const socket = new FrameSocket({
    url: relay.host.replace('http', 'ws'),
    maxBufferedBytes: 1_000,
    maxPayloadBytes: 1_000,
    idleMs,
    pingMs: 0,
    handshakeTimeoutMs: 10_000,
    onOpen: opened.resolve,
  })
  const [send] = await Promise.all([connected.promise, opened.promise])
  return {
    socket,
    send,
    async [Symbol.asyncDispose]() {
      socket[Symbol.dispose]()
      await relay[Symbol.asyncDispose]()
    },
  }
}

test('a wait that was given up does not take the frame of the next one', async () => {
  await using connection = await open()
  const { socket, send } = connection
  const givenUp = new AbortController()
  const first = socket.wait(givenUp.signal)
  givenUp.abort()
  // At once, before the first one has come to its end.
  const second = socket.wait(new AbortController().signal)
  await first
  send()
  await second
  expect(socket.take()?.toString()).toBe('frame')
})

test('a host whose frame came while this process stood still is not idle, also when the next one is waited for at once (I10)', async () => {
  const idleMs = 50
  await using connection = await open(idleMs)
  const { socket, send } = connection
  const { signal } = new AbortController()
  const taken: string[] = []
  const reading = (async () => {
    while (!socket.closed && taken.length < 2) {
      await socket.wait(signal)
      const frame = socket.take()
      if (frame) taken.push(frame.toString())
    }
  })()
  send()
  const until = performance.now() + 2 * idleMs
  while (performance.now() < until);
  await eventually(() => expect(taken.length + (socket.closed ? 1 : 0)).toBeGreaterThan(0))
  send()
  await reading
  expect([taken, socket.closed]).toEqual([['frame', 'frame'], undefined])
})
