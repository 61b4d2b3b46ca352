import { expect, test } from 'vitest'
import { FrameSocket } from './frame-socket.ts'
import { startRelay } from './test-support/relay.ts'

test('a wait that was given up does not take the frame of the next one', async () => {
  const connected = Promise.withResolvers<() => void>()
  await using relay = await startRelay(({ socket }) => connected.resolve(() => socket.send('frame')))
  using socket = new FrameSocket({
    url: relay.host.replace('http', 'ws'),
    maxBufferedBytes: 1_000,
    maxPayloadBytes: 1_000,
    idleMs: 0,
    pingMs: 0,
    handshakeTimeoutMs: 10_000,
    onOpen: () => undefined,
  })
  const send = await connected.promise
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
