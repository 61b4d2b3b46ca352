import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { readCarWithRoot } from '@atproto/repo'
import { expect, test } from 'vitest'
import { startSimulatedNetwork } from './simulated-network.ts'
import { commitOf, framesAfter, get, getRepo, small } from './testing/client.ts'

test('write, change and delete records', async () => {
  await using network = await startSimulatedNetwork(small)
  const account = network.account(0)
  const before = network.head()
  const { uri, cid } = await account.create('app.bsky.feed.post', { text: 'one', createdAt: '2025-06-01T00:00:00Z' })
  const record = { $type: 'app.bsky.feed.post', text: 'one', createdAt: '2025-06-01T00:00:00Z' }
  expect(account.records()).toContainEqual({ uri, cid, record })
  const updated = await account.update(uri, { text: 'two' })
  expect(updated.uri).toBe(uri)
  await account.delete(uri)
  expect(account.records().some((record) => record.uri === uri)).toBe(false)
  const ops = (await framesAfter(network, before)).flatMap((frame) => commitOf(frame).ops)
  expect(ops.map(({ action, cid, prev }) => [action, cid?.toString(), prev?.toString()])).toEqual([
    ['create', cid, undefined],
    ['update', updated.cid, cid],
    ['delete', undefined, updated.cid],
  ])
  await expect(account.delete(uri)).rejects.toThrow('Could not find a record')
  await expect(account.create('app.bsky.feed.post', { text: 'after an error' })).resolves.toBeDefined()
})

test('write several records in one commit', async () => {
  await using network = await startSimulatedNetwork(small)
  const before = network.head()
  const written = await network.account(1).applyWrites([
    { action: 'create', collection: 'app.bsky.feed.post', record: { text: 'a' } },
    { action: 'create', collection: 'app.bsky.feed.post', rkey: 'own-key', record: { text: 'b' } },
  ])
  expect(written[1]?.uri).toBe(`at://${network.account(1).did}/app.bsky.feed.post/own-key`)
  expect(network.head()).toBe(before + 1)
})

test('write blocks that no encoder would', async () => {
  await using network = await startSimulatedNetwork(small)
  const float = Uint8Array.of(0xa1, 0x61, 0x61, 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0)
  const { uri } = await network.account(0).create('app.bsky.feed.post', float)
  const { blocks } = await readCarWithRoot(await getRepo(network, network.account(0).did))
  const cid = network
    .account(0)
    .records()
    .find((record) => record.uri === uri)?.cid
  expect(blocks.entries().find((block) => block.cid.toString() === cid)?.bytes).toEqual(float)
})

test('come and go', async () => {
  await using network = await startSimulatedNetwork(small)
  const account = network.account(2)
  const before = network.head()
  const repo = async (): Promise<unknown> => {
    const response = await get(network.relayUrl, 'com.atproto.sync.getRepo', { did: account.did })
    return response.ok ? 'ok' : ((await response.json()) as { error: string }).error
  }
  const answers: unknown[] = []
  const changes = ['deactivate', 'takedown', 'suspend', 'reactivate', 'remove'] as const
  for (const change of changes) {
    await account[change]()
    answers.push(await repo())
  }
  expect(answers).toEqual(['RepoDeactivated', 'RepoTakendown', 'RepoSuspended', 'ok', 'RepoNotFound'])
  const statuses = (await framesAfter(network, before)).map(({ body }) => [body['active'], body['status']])
  expect(statuses).toEqual([
    [false, 'deactivated'],
    [false, 'takendown'],
    [false, 'suspended'],
    [true, undefined],
    [false, 'deleted'],
  ])
  expect(network.records().some(({ uri }) => uri.includes(account.did))).toBe(false)
  const status = await get(network.relayUrl, 'com.atproto.sync.getRepoStatus', { did: account.did })
  expect(await status.json()).toEqual({ did: account.did, active: false, status: 'deleted' })
})

test('take another handle', async () => {
  await using network = await startSimulatedNetwork(small)
  const account = network.account(0)
  const old = account.handle
  const handle = await account.changeHandle()
  const resolve = async (name: string): Promise<unknown> =>
    (await get(network.handleResolverUrl, 'com.atproto.identity.resolveHandle', { handle: name })).json()
  expect(await resolve(handle)).toEqual({ did: account.did })
  expect(await resolve(old)).toMatchObject({ error: 'InvalidRequest' })
  const document = await (await fetch(`${network.plcUrl}/${account.did}`)).json()
  expect(document).toMatchObject({ alsoKnownAs: [`at://${handle}`] })
  const [frame] = await framesAfter(network, network.head() - 1)
  expect(frame).toMatchObject({ header: { t: '#identity' }, body: { did: account.did, handle } })
})

test('prove their handles to their own PDS alone', async () => {
  await using network = await startSimulatedNetwork(small)
  const { did, handle, pdsUrl } = network.account(0)
  const answers = await Promise.all(network.pdsUrls.map((url) => wellKnown(url, handle)))
  expect(answers).toEqual(network.pdsUrls.map((url) => (url === pdsUrl ? did : 'User not found')))
  expect(await wellKnown(network.handleResolverUrl, handle)).toBe(did)
})

/** `fetch` sets no `Host`. */
function wellKnown(url: string, handle: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(`${url}/.well-known/atproto-did`, { headers: { host: handle } }, (response) => {
      text(response).then(resolve, reject)
    })
      .on('error', reject)
      .end()
  })
}
