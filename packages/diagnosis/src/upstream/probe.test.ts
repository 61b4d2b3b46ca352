import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { encodeFrame, startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { probeUpstream, type Probe } from './probe.ts'

let network: SimulatedNetwork
beforeAll(async () => {
  network = await startSimulatedNetwork({ accounts: 3, recordsPerAccount: 20, labels: 3, relayWindow: 10 })
})
afterAll(() => network[Symbol.asyncDispose]())

const probe = (cursor: string | null): Promise<Probe> => probeUpstream({ url: network.relayUrl, cursor, quietMs: 300 })

test('a cursor that the host goes on from, with the event that comes next', async () => {
  const cursor = network.head() - 1
  const found = await probe(String(cursor))
  expect(found).toMatchObject({
    position: 'within',
    next: { seq: cursor + 1, time: expect.stringMatching(/^\d{4}-/) },
    oldest: { seq: expect.any(Number) },
  })
  expect(found.oldest!.seq).toBeLessThanOrEqual(cursor)
})

test('a quiet host says nothing after its newest event', async () => {
  const found = await probe(String(network.head()))
  expect(found.position).toBe('within')
  expect(found.next).toBeUndefined()
})

test.each([
  ['beyond the newest event', (): string => String(network.head() + 100), 'future'],
  ['before the oldest', (): string => '1', 'outdated'],
  ['that is none', (): null => null, 'none'],
  ['of another kind', (): string => '!ingester-done', 'none'],
] as const)('a cursor %s', async (_name, cursor, position) => {
  expect((await probe(cursor())).position).toBe(position)
})

test('a labeler is asked for labels', async () => {
  const found = await probeUpstream({
    url: network.labelerUrl,
    method: 'com.atproto.label.subscribeLabels',
    cursor: '1',
    quietMs: 300,
  })
  expect(found).toMatchObject({ position: 'within', next: { time: expect.stringMatching(/^\d{4}-/) } })
})

test('a host that is not there is an error', async () => {
  await expect(probeUpstream({ url: 'http://127.0.0.1:1', cursor: '1' })).rejects.toThrow('ECONNREFUSED')
})

test('a host is not quiet whose event came while this process stood still', async () => {
  const quietMs = 300
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  const frame = encodeFrame({ op: 1, t: '#account' }, { seq: 7, did: 'did:plc:a', active: true, time: '2026-01-01' })
  server.on('connection', (socket, { url }) => {
    if (!url?.includes('cursor=6')) return
    // Where timers are looked at next, before sockets are.
    const stall = (): void => {
      socket.send(frame)
      const until = performance.now() + quietMs
      while (performance.now() < until);
    }
    setTimeout(() => setImmediate(stall), quietMs / 2)
  })
  try {
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const found = await probeUpstream({ url: `http://127.0.0.1:${port}`, cursor: '6', quietMs })
    expect(found.next?.seq).toBe(7)
  } finally {
    server.close()
  }
})
