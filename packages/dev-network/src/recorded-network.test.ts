import path from 'node:path'
import { verifyRepoCar } from '@atproto/repo'
import { expect, test } from 'vitest'
import { collectFrames } from './collect-frames.ts'
import { decodeFrame } from './frame.ts'
import { startRecordedNetwork } from './recorded-network.ts'
import { must } from './testing/client.ts'

const folder = path.join(import.meta.dirname, '../../../fixtures/network-basic')

const fetchJson = async (url: string): Promise<unknown> => (await fetch(url)).json()

test('all 2420 frames come in order, byte for byte', async () => {
  await using network = await startRecordedNetwork({ folder })
  expect(network.head()).toBe(2420)
  const frames = await collectFrames({ host: network.relayUrl, cursor: 0, count: 2420 })
  expect(frames.map((frame) => decodeFrame(frame).body['seq'])).toEqual(frames.map((_, index) => index + 1))
  expect(frames.every((frame, index) => Buffer.compare(frame, must(network.recording.frames[index])) === 0)).toBe(true)
  const resumed = await collectFrames({ host: network.relayUrl, cursor: 2418, count: 2 })
  expect(resumed).toEqual(frames.slice(2418))
})

test('all 112 repos verify with the keys of the documents it serves', async () => {
  await using network = await startRecordedNetwork({ folder })
  const records: number[] = []
  for (const { did } of network.recording.listRepos) {
    const response = await fetch(`${network.relayUrl}/xrpc/com.atproto.sync.getRepo?did=${did}`)
    if (response.status !== 200) continue
    const document = (await fetchJson(`${network.plcUrl}/${did}`)) as Document
    expect(document.service[0]?.serviceEndpoint).toBe(network.relayUrl)
    const key = `did:key:${document.verificationMethod[0]?.publicKeyMultibase}`
    const repo = await verifyRepoCar(new Uint8Array(await response.arrayBuffer()), did, key)
    records.push(repo.creates.length)
  }
  expect(records).toHaveLength(112)
  expect(records.reduce((sum, count) => sum + count)).toBe(1875)
  expect(network.requests['com.atproto.sync.getRepo']).toBe(114)
})

interface Document {
  service: { serviceEndpoint: string }[]
  verificationMethod: { publicKeyMultibase: string }[]
}

test('pages of listRepos cover every repo once', async () => {
  await using network = await startRecordedNetwork({ folder })
  const dids: string[] = []
  for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
    const query = cursor === undefined ? '' : `&cursor=${cursor}`
    const body = (await fetchJson(`${network.relayUrl}/xrpc/com.atproto.sync.listRepos?limit=50${query}`)) as {
      cursor?: string
      repos: { did: string }[]
    }
    dids.push(...body.repos.map(({ did }) => did))
    cursor = body.cursor
  }
  expect(dids).toEqual(network.recording.listRepos.map(({ did }) => did))
  expect(new Set(dids).size).toBe(114)
})

test('it can be held in the middle', async () => {
  await using network = await startRecordedNetwork({ folder })
  network.hold(1000)
  const first = await collectFrames({ host: network.relayUrl, cursor: 0, count: 1000 })
  const rest = collectFrames({ host: network.relayUrl, cursor: 1000, count: 1420 })
  await expect.poll(() => network.relay.connections, { timeout: 20_000 }).toBe(1)
  network.release()
  expect([...first, ...(await rest)]).toEqual(network.recording.frames.map((frame) => new Uint8Array(frame)))
})

test('labels, handles and statuses are served as recorded', async () => {
  await using network = await startRecordedNetwork({ folder })
  const method = 'com.atproto.label.subscribeLabels'
  const labels = await collectFrames({ host: network.labelerUrl, method, cursor: 0, count: 8 })
  expect(labels.map((frame) => decodeFrame(frame).header.t)).toEqual(Array(8).fill('#labels'))

  const [handle, did] = must(Object.entries(network.recording.handles)[0])
  const resolve = `${network.handleResolverUrl}/xrpc/com.atproto.identity.resolveHandle?handle=`
  expect(await fetchJson(`${resolve}${handle}`)).toEqual({ did })
  expect((await fetch(`${resolve}nobody.test`)).status).toBe(400)

  const gone = [...network.recording.repos.values()].find(({ getRepo }) => getRepo.status !== 200)
  const status = await fetch(`${network.relayUrl}/xrpc/com.atproto.sync.getRepo?did=${gone?.did}`)
  expect({ status: status.status, body: await status.json() }).toMatchObject(gone?.getRepo as object)
})
