import { verifySignature } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import type { LexMap } from '@atproto/lex-data'
import { verifyCommitSig, verifyRepoCar } from '@atproto/repo'
import { expect, test } from 'vitest'
import { decodeFrame } from './frame.ts'
import { startSimulatedNetwork } from './simulated-network.ts'
import {
  type CommitBody,
  commitIn,
  commitOf,
  framesAfter,
  get,
  getRepo,
  keyOf,
  must,
  small,
  undo,
} from './testing/client.ts'

test.each([
  { fault: { type: 'not-found' as const, status: 404 }, status: 404, error: 'RepoNotFound' },
  { fault: { type: 'deactivated' as const }, status: 400, error: 'RepoDeactivated' },
  { fault: { type: 'takendown' as const }, status: 400, error: 'RepoTakendown' },
  { fault: { type: 'error' as const }, status: 500, error: 'InternalServerError' },
  { fault: { type: 'throttled' as const, retryAfterSeconds: 3 }, status: 429, error: 'RateLimitExceeded' },
])('getRepo answers $status $error, so many times', async ({ fault, status, error }) => {
  await using network = await startSimulatedNetwork(small)
  const { did } = network.account(0)
  network.faults.getRepo(did, fault, { times: 1 })
  const response = await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error })
  expect(response.headers.get('retry-after')).toBe(fault.type === 'throttled' ? '3' : null)
  expect((await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })).status).toBe(200)
})

test.each([
  { type: 'corrupt-block' as const, error: 'Not a valid CID for bytes' },
  { type: 'other-key' as const, error: 'Invalid signature on commit' },
  { type: 'other-did' as const, error: 'Invalid repo did' },
])('a repo with $type does not verify', async ({ type, error }) => {
  await using network = await startSimulatedNetwork(small)
  const { did, pdsUrl } = network.account(0)
  const key = await keyOf(network, did)
  network.faults.getRepo(pdsUrl, { type })
  await expect(getRepo(network, did).then((car) => verifyRepoCar(car, did, key))).rejects.toThrow(error)
  network.faults.clear()
  await expect(getRepo(network, did).then((car) => verifyRepoCar(car, did, key))).resolves.toBeDefined()
})

test('a repo can be cut off, or stall', async () => {
  await using network = await startSimulatedNetwork(small)
  const { did } = network.account(0)
  network.faults.getRepo(did, { type: 'cut', afterBytes: 100 })
  await expect(getRepo(network, did)).rejects.toThrow('terminated')
  network.faults.getRepo(did, { type: 'stall', afterBytes: 100 })
  const response = await get(network.relayUrl, 'com.atproto.sync.getRepo', { did })
  const reader = response.body?.getReader()
  expect((await reader?.read())?.value).toHaveLength(100)
  const next = reader?.read()
  await network[Symbol.asyncDispose]()
  await expect(next).rejects.toThrow('terminated')
})

test('a DID document can be missing or unavailable, or end for good', async () => {
  await using network = await startSimulatedNetwork(small)
  const { did } = network.account(0)
  const statusOf = async (): Promise<number> => (await fetch(`${network.plcUrl}/${did}`)).status
  network.faults.identity(did, { type: 'error', status: 503 }, { times: 1 })
  expect([await statusOf(), await statusOf()]).toEqual([503, 200])
  network.faults.identity(did, { type: 'not-found' }, { times: 1 })
  expect([await statusOf(), await statusOf()]).toEqual([404, 200])
  await network.plc.tombstone(did, '2025-06-02T00:00:00.000Z')
  expect(await statusOf()).toBe(410)
})

test('commits can be hidden, too big, badly signed or of the old kind', async () => {
  await using network = await startSimulatedNetwork(small)
  const account = network.account(0)
  const before = network.head()
  for (const frame of ['omitted', 'too-big', 'bad-signature', 'legacy', 'wrong-op', 'normal'] as const) {
    await account.applyWrites([{ action: 'create', collection: 'app.bsky.feed.post', record: { frame } }], { frame })
  }
  const bodies = (await framesAfter(network, before)).map(commitOf)
  const [tooBig, badlySigned, legacy, wrongOp, normal] = bodies as [
    CommitBody,
    CommitBody,
    CommitBody,
    CommitBody,
    CommitBody,
  ]
  expect(tooBig).toMatchObject({ tooBig: true, ops: [] })
  const key = await keyOf(network, account.did)
  const signed = await Promise.all(bodies.map(async ({ blocks }) => verifyCommitSig(await commitIn(blocks), key)))
  expect(signed).toEqual([true, false, true, true, true])
  expect(badlySigned.commit.toString()).not.toBe(normal.commit.toString())
  expect(legacy.prevData).toBeUndefined()
  expect(wrongOp.ops[0]?.cid?.toString()).toBe(wrongOp.commit.toString())
  expect(await undo(normal)).toBe(String(normal.prevData))
  expect(account.records().filter(({ record }) => record?.['frame'])).toHaveLength(6)
})

test('labels can be spoofed, badly signed or not signed', async () => {
  await using network = await startSimulatedNetwork(small)
  const key = await keyOf(network, network.labelerDid, 'atproto_label')
  const { did } = network.account(0)
  await network.label({ uri: did, val: 'spam', src: did })
  await network.label({ uri: did, val: 'spam', signature: 'bad' })
  await network.label({ uri: did, val: 'spam', signature: 'none' })
  const labels = network.labeler.after(0).flatMap((frame) => decodeFrame(frame).body['labels'] as LexMap[])
  expect(labels.map(({ src }) => src)).toEqual([did, network.labelerDid, network.labelerDid])
  const { sig, ...label } = must(labels[1])
  expect(await verifySignature(key, encode(label), sig as Uint8Array)).toBe(false)
  expect(labels[2]?.['sig']).toBeUndefined()
})
