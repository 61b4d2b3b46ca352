import { jsonToLex, lexicons } from '@atproto/api'
import { verifySignature } from '@atproto/crypto'
import { encode } from '@atproto/lex-cbor'
import { fromBase64, type LexMap, type LexValue } from '@atproto/lex-data'
import { MemoryBlockstore, MST, readCarWithRoot, verifyCommitSig, verifyRepoCar } from '@atproto/repo'
import { base32 } from 'multiformats/bases/base32'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectFrames } from './collect-frames.ts'
import { decodeFrame } from './frame.ts'
import { sha256 } from './random.ts'
import { type SimulatedNetwork, startSimulatedNetwork } from './simulated-network.ts'
import { commitIn, commitOf, framesAfter, get, getRepo, keyOf, must, small, undo } from './testing/client.ts'

interface Reply {
  root: { uri: string }
  parent: { uri: string }
}

describe('what it writes', () => {
  let network: SimulatedNetwork
  beforeAll(async () => {
    network = await startSimulatedNetwork({ accounts: 25 })
    await network.write(300)
  })
  afterAll(() => network[Symbol.asyncDispose]())

  test('records are valid in their lexicons, and every collection occurs', () => {
    const records = network.records()
    const collections = new Set<string>()
    for (const { uri, record } of records) {
      const collection = must(uri.split('/')[3])
      collections.add(collection)
      if (lexicons.get(collection)) lexicons.assertValidRecord(collection, jsonToLex(record))
    }
    expect([...collections].sort()).toEqual([
      'app.bsky.actor.contentVisibilityDeclaration',
      'app.bsky.actor.profile',
      'app.bsky.actor.status',
      'app.bsky.feed.generator',
      'app.bsky.feed.like',
      'app.bsky.feed.post',
      'app.bsky.feed.postgate',
      'app.bsky.feed.repost',
      'app.bsky.feed.threadgate',
      'app.bsky.graph.block',
      'app.bsky.graph.follow',
      'app.bsky.graph.list',
      'app.bsky.graph.listblock',
      'app.bsky.graph.listitem',
      'app.bsky.graph.referencelistoptout',
      'app.bsky.graph.starterpack',
      'app.bsky.graph.verification',
      'app.bsky.labeler.service',
      'app.bsky.notification.declaration',
      'chat.bsky.actor.declaration',
      'com.germnetwork.declaration',
      'org.millrace.test.measurement',
    ])
    expect(records.length).toBe(network.totals().recordCount)
  })

  test('posts come with every embed, with facets and in threads', () => {
    const json = JSON.stringify(network.records())
    for (const type of ['images', 'gallery', 'external', 'video', 'record', 'recordWithMedia']) {
      expect(json).toContain(`"$type":"app.bsky.embed.${type}"`)
    }
    for (const type of ['mention', 'link', 'tag']) expect(json).toContain(`"$type":"app.bsky.richtext.facet#${type}"`)
    const replies = network.records().flatMap(({ record }) => (record?.['reply'] as Reply | undefined) ?? [])
    const deep = replies.filter(({ root, parent }) => root.uri !== parent.uri)
    expect(deep.length).toBeGreaterThan(10)
  })

  test('every commit verifies, follows the one before it, and can be undone (I18)', async () => {
    const heads = new Map<string, { rev: string; data: string }>()
    const actions = new Set<string>()
    for (const frame of await framesAfter(network, 0)) {
      if (frame.header.t === '#sync') {
        const { did, blocks } = frame.body as { did: string; blocks: Uint8Array }
        const commit = await commitIn(blocks)
        heads.set(did, { rev: commit.rev, data: String(commit.data) })
      }
      if (frame.header.t !== '#commit') continue
      const body = commitOf(frame)
      const commit = await commitIn(body.blocks)
      expect({ did: commit.did, rev: commit.rev }).toEqual({ did: body.repo, rev: body.rev })
      expect({ rev: body.since, data: String(body.prevData) }).toEqual(heads.get(body.repo))
      expect(body.rev > body.since).toBe(true)
      expect(await undo(body)).toBe(String(body.prevData))
      heads.set(body.repo, { rev: commit.rev, data: String(commit.data) })
      for (const { action } of body.ops) actions.add(action)
    }
    expect([...actions].sort()).toEqual(['create', 'delete', 'update'])
    for (const { did, head } of network.accounts)
      expect(heads.get(did)).toMatchObject({ rev: head.rev, data: head.data })
  })

  test('commits are signed by the keys of both kinds that the documents name', async () => {
    const prefixes = new Set<string>()
    for (const { did } of network.accounts.slice(0, 8)) {
      const key = await keyOf(network, did)
      prefixes.add(key.slice(0, 'did:key:zQ'.length))
      expect(await verifyCommitSig(await commitIn(await getRepo(network, did)), key)).toBe(true)
    }
    expect([...prefixes].sort()).toEqual(['did:key:zD', 'did:key:zQ'])
  })

  test('repos verify, and hold what the accounts say they hold', async () => {
    for (const account of network.accounts) {
      const key = await keyOf(network, account.did)
      const repo = await verifyRepoCar(await getRepo(network, account.did), account.did, key)
      const held = repo.creates.map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`)
      const said = account.records().map(({ uri, cid }) => `${uri.split('/').slice(3).join('/')} ${cid}`)
      expect(held.sort()).toEqual(said.sort())
      const { blocks } = await readCarWithRoot(await getRepo(network, account.did))
      const tree = await MST.load(new MemoryBlockstore(blocks), (await commitIn(await account.car())).data).allCids()
      expect(blocks.size).toBe(1 + new Set(tree.toList().map(String)).size)
    }
  })

  test('an account begins with its identity, its status and its repo', async () => {
    const { did } = network.account(3)
    const first = (await framesAfter(network, 0)).filter(({ body }) => body['did'] === did).slice(0, 3)
    expect(first.map(({ header }) => header.t)).toEqual(['#identity', '#account', '#sync'])
    expect(first[1]?.body).toMatchObject({ active: true })
  })

  test('pages of listRepos cover every account once', async () => {
    const listed: { did: string; rev: string; head: string; active: boolean }[] = []
    for (let cursor: string | undefined, page = 0; page === 0 || cursor; page++) {
      const response = await get(network.relayUrl, 'com.atproto.sync.listRepos', {
        limit: '7',
        ...(cursor !== undefined && { cursor }),
      })
      const body = (await response.json()) as { cursor?: string; repos: typeof listed }
      listed.push(...body.repos)
      cursor = body.cursor
    }
    expect(listed).toEqual(
      network.accounts.map(({ did, head }) => ({ did, rev: head.rev, head: head.cid, active: true })),
    )
  })

  test('lists the accounts that have records of a collection', async () => {
    const collection = 'app.bsky.graph.follow'
    const having = network
      .records()
      .flatMap(({ uri }) => (uri.split('/')[3] === collection ? [uri.split('/')[2]!] : []))
    const response = await get(network.relayUrl, 'com.atproto.sync.listReposByCollection', {
      collection,
      limit: '1000',
    })
    const { repos } = (await response.json()) as { repos: { did: string }[] }
    expect(repos.map(({ did }) => did).sort()).toEqual([...new Set(having)].sort())
    expect((await get(network.relayUrl, 'com.atproto.sync.listReposByCollection', {})).status).toBe(400)
  })

  test('labels are signed with the key of their own, and some are taken back or expire (L6)', async () => {
    const key = await keyOf(network, network.labelerDid, 'atproto_label')
    const method = 'com.atproto.label.subscribeLabels'
    const frames = await collectFrames({ host: network.labelerUrl, method, cursor: 0, count: 30 })
    const labels = frames.flatMap((frame) => decodeFrame(frame).body['labels'] as LexMap[])
    for (const { sig, ...label } of labels) {
      expect(await verifySignature(key, encode(label), sig as Uint8Array)).toBe(true)
      expect(label['src']).toBe(network.labelerDid)
    }
    expect(labels.some(({ neg }) => neg === true)).toBe(true)
    expect(labels.some(({ neg }) => neg === false)).toBe(true)
    expect(labels.some(({ exp }) => exp !== undefined)).toBe(true)
  })

  test('a DID is the hash of its first operation, and each operation names the one before', async () => {
    const { did } = network.account(0)
    const log = (await (await fetch(`${network.plcUrl}/${did}/log/audit`)).json()) as {
      cid: string
      operation: { [key: string]: LexValue; prev: string | null; sig: string; rotationKeys: string[] }
    }[]
    const first = must(log[0]).operation
    expect(did).toBe(`did:plc:${base32.baseEncode(sha256(encode(first))).slice(0, 24)}`)
    expect(log.map(({ operation }) => operation.prev)).toEqual([null, log[0]?.cid])
    const { sig, ...unsigned } = first
    expect(await verifySignature(must(first.rotationKeys[0]), encode(unsigned), fromBase64(sig, 'base64url'))).toBe(
      true,
    )
  })

  test('handles resolve both ways', async () => {
    const { did, handle, pdsUrl } = network.account(1)
    const resolved = await get(network.handleResolverUrl, 'com.atproto.identity.resolveHandle', { handle })
    expect(await resolved.json()).toEqual({ did })
    const document = await (await fetch(`${network.plcUrl}/${did}`)).json()
    expect(document).toMatchObject({ alsoKnownAs: [`at://${handle}`], service: [{ serviceEndpoint: pdsUrl }] })
  })
})

test('a seed determines DIDs, records, labels and revisions', async () => {
  const contents = async (seed: number): Promise<unknown> => {
    await using network = await startSimulatedNetwork({ ...small, seed, labels: 5 })
    await network.write(20)
    return {
      accounts: network.accounts.map(({ did, handle, head }) => ({ did, handle, head })),
      records: network.records(),
      labels: network.labels(),
      frames: network.relay.after(0),
    }
  }
  const first = await contents(7)
  expect(await contents(7)).toEqual(first)
  expect(await contents(8)).not.toEqual(first)
})

test('write does exactly as many operations as asked', async () => {
  await using network = await startSimulatedNetwork(small)
  const before = network.head()
  expect(await network.write(37)).toBe(network.head())
  const commits = (await framesAfter(network, before)).map(commitOf)
  expect(commits.reduce((sum, { ops }) => sum + ops.length, 0)).toBe(37)
})

test('run writes until it is told to stop', async () => {
  await using network = await startSimulatedNetwork({ ...small, rate: 1000 })
  const stop = new AbortController()
  const before = network.head()
  const running = network.run(stop.signal)
  try {
    await expect.poll(network.head.bind(network), { timeout: 20_000 }).toBeGreaterThan(before + 20)
  } finally {
    stop.abort()
    await running
  }
})

test('with real time nothing is from the future', async () => {
  await using network = await startSimulatedNetwork({ ...small, time: 'real' })
  await network.write(5)
  const newest = network.accounts
    .map(({ head }) => head.rev)
    .sort()
    .at(-1)
  expect(revTime(must(newest))).toBeLessThan(Date.now() + 1_000)
  expect(revTime(must(newest))).toBeGreaterThan(Date.now() - 60_000)
})

const revTime = (rev: string): number => {
  const digits = '234567abcdefghijklmnopqrstuvwxyz'
  return (
    rev
      .slice(0, 11)
      .split('')
      .reduce((sum, digit) => sum * 32 + digits.indexOf(digit), 0) / 1000
  )
}

test('a PDS can have a firehose of its own, with its own numbers (I15)', async () => {
  await using network = await startSimulatedNetwork({ ...small, pdsFirehoses: true })
  const [first, second] = network.pdsFirehoses
  expect((first?.head ?? 0) + (second?.head ?? 0)).toBe(network.head())
  const [frame] = await collectFrames({ host: must(network.pdsUrls[1]), cursor: 0, count: 1 })
  expect(decodeFrame(must(frame)).body).toMatchObject({ seq: 1, did: network.account(1).did })
})

test('the relay can give repos itself', async () => {
  await using network = await startSimulatedNetwork({ ...small, redirectGetRepo: false })
  const url = `${network.relayUrl}/xrpc/com.atproto.sync.getRepo?did=${network.account(0).did}`
  const response = await fetch(url, { redirect: 'manual' })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/vnd.ipld.car')
})

test('a guest is listed first and in the directory, and the relay sends on to a host that is not the network’s', async () => {
  await using network = await startSimulatedNetwork(small)
  const { did, rev, keypair } = await network.addGuest({ handle: 'guest.test', pdsUrl: 'http://127.0.0.1:9' })
  const query = async (method: string): Promise<Response> =>
    await fetch(`${network.relayUrl}/xrpc/com.atproto.sync.${method}`, { redirect: 'manual' })
  const { repos } = (await (await query('listRepos')).json()) as { repos: { did: string; rev: string }[] }
  expect(repos).toHaveLength(small.accounts + 1)
  expect(repos[0]).toMatchObject({ did, rev, active: true })
  expect(await keyOf(network, did)).toBe(keypair.did())
  const response = await query(`getRepo?did=${did}`)
  expect(response.status).toBe(302)
  expect(response.headers.get('location')).toBe(`http://127.0.0.1:9/xrpc/com.atproto.sync.getRepo?did=${did}`)
})
