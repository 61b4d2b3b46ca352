import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  startRecordedNetwork,
  startSimulatedNetwork,
  type RepoFault,
  type SimulatedNetwork,
  type SimulatedNetworkOptions,
} from '@millrace/dev-network'
import {
  createGuardedFetch,
  DidResolver,
  HostLimits,
  TemporaryIdentityError,
  type GuardedFetch,
} from '@millrace/identity'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import {
  backfillEventCodec,
  CollectionFilter,
  groups,
  OWN_PDS,
  streamEventCodec,
  streamEventTextCodec,
  streams,
  type BackfillEvent,
  type Codec,
  type CreateEvent,
  type DeadLetter,
  type DirtyMark,
  type EventSink,
  type HostGap,
  type Ledger,
  type Meter,
  type RepoEvent,
  type StreamEvent,
  type StreamStore,
} from '@millrace/stream-protocol'
import { eventually } from '@millrace/testing'
import { tidMs } from '@millrace/repo-reader'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { RepoBackfiller, type RepoBackfillerOptions } from './repo-backfiller.ts'

const fetch = createGuardedFetch({ allowPrivateHosts: true })
const fast = { minMs: 5, maxMs: 20 }

interface Rig {
  store: StreamStore
  sink: EventSink<string>
  enqueue(events: readonly BackfillEvent[]): Promise<void>
  backfiller(options?: Partial<RepoBackfillerOptions>): RepoBackfiller
  /** Runs a backfiller until the test or the returned function ends it. */
  start(backfiller: RepoBackfiller): () => Promise<void>
  /** Everything appended so far, in order. */
  events(): Promise<StreamEvent[]>
  /** Entries of `repo_backfill` that are not acked. */
  left(): Promise<number>
}

async function rig({ plcUrl }: { plcUrl: string }): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'repo-backfill-'))
  const store = await openSqliteStreams({ file: path.join(folder, 'streams.sqlite') })
  const running: (() => Promise<void>)[] = []
  onTestFinished(async () => {
    for (const stop of running) await stop()
    await store[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  await store.ensureGroup(streams.repoBackfill, groups.repoBackfill)
  const sink = store.writer({ stream: streams.firehoseBackfill, codec: streamEventTextCodec })
  const requests = store.writer({ stream: streams.repoBackfill, codec: backfillEventCodec })
  return {
    store,
    sink,
    enqueue: (events) => requests.append(events),
    backfiller: (options) =>
      new RepoBackfiller({
        source: store.consumer({
          stream: streams.repoBackfill,
          group: groups.repoBackfill,
          consumer: 'one',
          codec: backfillEventCodec,
          blockMs: 50,
        }),
        sink,
        resolver: new DidResolver({ fetch, plcUrl, allowPrivateHosts: true, minIntervalMs: 0 }),
        fetch,
        hostBackoff: fast,
        retry: fast,
        attempts: 3,
        ...options,
      }),
    start(backfiller) {
      const stop = new AbortController()
      const done = backfiller.run(stop.signal)
      const end = async (): Promise<void> => {
        stop.abort(new Error('stopped'))
        await done
      }
      running.push(end)
      return end
    },
    async events() {
      const all: StreamEvent[] = []
      const { length } = (await store.status([streams.firehoseBackfill])).at(0)!
      const group = `reader-${Math.random()}`
      const reader = {
        stream: streams.firehoseBackfill,
        group,
        consumer: 'reader',
        codec: streamEventCodec,
        blockMs: 50,
      }
      if (length > 0)
        for await (const { entries } of store.consumer(reader).batches(new AbortController().signal)) {
          all.push(...entries.map(({ event }) => event))
          if (all.length >= length) break
        }
      return all
    },
    left: async () => (await store.status([streams.repoBackfill])).at(0)!.length,
  }
}

async function network(options: SimulatedNetworkOptions = {}): Promise<SimulatedNetwork> {
  const started = await startSimulatedNetwork({ accounts: 4, recordsPerAccount: 12, labels: 0, ...options })
  onTestFinished(() => started[Symbol.asyncDispose]())
  return started
}

const listed = (net: SimulatedNetwork): BackfillEvent[] =>
  net.accounts.map(({ did, head }) => ({ did, host: net.relayUrl, rev: head.rev }))

const creates = (events: readonly StreamEvent[]): CreateEvent[] => events.filter((event) => event.type === 'create')
const closings = (events: readonly StreamEvent[]): RepoEvent[] => events.filter((event) => event.type === 'repo')
const byUri = (a: { uri: string }, b: { uri: string }): number => (a.uri < b.uri ? -1 : 1)
const recordsOf = (events: readonly StreamEvent[]): object[] =>
  creates(events)
    .map(({ did, collection, rkey, cid, record }) => ({ uri: `at://${did}/${collection}/${rkey}`, cid, record }))
    .sort(byUri)

interface MemoryLedger extends Ledger {
  letters: DeadLetter[]
  marks: DirtyMark[]
  gaps: HostGap[]
  /** How many calls fail before one succeeds. */
  failures: number
}

function memoryLedger(): MemoryLedger {
  const take = (work: () => void): Promise<void> => {
    if (ledger.failures-- > 0) return Promise.reject(new Error('the database is away'))
    work()
    return Promise.resolve()
  }
  const ledger: MemoryLedger = {
    letters: [],
    marks: [],
    gaps: [],
    failures: 0,
    deadLetter: (letters) => take(() => ledger.letters.push(...letters)),
    markDirty: (marks) => take(() => ledger.marks.push(...marks)),
    recordGap: (gap) => take(() => ledger.gaps.push(gap)),
  }
  return ledger
}

describe('a whole network', () => {
  test('recorded: each repo gives exactly its records, then closes', { timeout: 120_000 }, async () => {
    const folder = path.join(import.meta.dirname, '../../../fixtures/network-basic')
    const { backfill } = JSON.parse(await readFile(path.join(folder, 'manifest.json'), 'utf8')) as {
      backfill: { repos: number; records: number }
    }
    await using net = await startRecordedNetwork({ folder, multikey: false })
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const repos = net.recording.listRepos
    await enqueue(
      repos.map(({ did, rev, active, status }) => ({
        did,
        rev,
        host: net.relayUrl,
        ...(active === false && { active, ...(status && { status }) }),
      })),
    )
    const loop = backfiller()
    start(loop)
    await eventually(async () => expect(await left()).toBe(0), { timeoutMs: 90_000 })
    const all = await events()
    expect(loop.status()).toMatchObject({
      done: repos.length,
      failed: 0,
      queued: 0,
      retrying: 0,
      records: backfill.records,
      lastError: null,
    })
    expect(creates(all)).toHaveLength(backfill.records)
    expect(closings(all)).toHaveLength(backfill.repos)
    expect(all.filter(({ type }) => type === 'account')).toMatchObject(
      repos
        .filter(({ active }) => active === false)
        .map(({ did, status }) => ({ did, status, active: false, seq: -1 })),
    )
    for (const { did, records, rev, data } of closings(all)) {
      const own = all.filter((event) => event.did === did)
      expect(own.at(-1)).toMatchObject({ type: 'repo', records: own.length - 1, rev, data })
      expect(creates(own).every((event) => event.rev === rev && event.seq === -1)).toBe(true)
      const paths = creates(own).map(({ collection, rkey }) => `${collection}/${rkey}`)
      expect(paths).toEqual(paths.toSorted())
      expect(records).toBe(paths.length)
    }
  })

  test('simulated: the records are what was written, links and bytes included', async () => {
    const net = await network({ accounts: 10 })
    const { enqueue, backfiller, start, events, left } = await rig(net)
    await enqueue(listed(net))
    start(backfiller({ chunkSize: 7 }))
    await eventually(async () => expect(await left()).toBe(0))
    expect(recordsOf(await events())).toEqual(net.records().sort(byUri))
  })
})

test('of a repo only the collections are appended that are taken, and they are all that it has (I25)', async () => {
  const net = await network()
  const { enqueue, backfiller, start, events, left } = await rig(net)
  await enqueue(listed(net))
  const collections = new CollectionFilter(['app.bsky.graph.*'])
  start(backfiller({ collections: () => Promise.resolve(collections) }))
  await eventually(async () => expect(await left()).toBe(0))
  const all = await events()
  const wanted = net.records().filter(({ uri }) => uri.split('/')[3]?.startsWith('app.bsky.graph.'))
  expect(wanted.length).toBeGreaterThan(0)
  expect(recordsOf(all)).toEqual(wanted.sort(byUri))
  for (const { did, records } of closings(all))
    expect(records).toBe(creates(all).filter((event) => event.did === did).length)
})

describe('accounts that are not to be seen', () => {
  test('are not fetched when the listing says so, and their status is passed on (B3)', async () => {
    const net = await network({ accounts: 1 })
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const first = listed(net).at(0)!
    await enqueue([
      { ...first, active: false, status: 'takendown' },
      { ...first, active: false },
    ])
    start(backfiller())
    await eventually(async () => expect(await left()).toBe(0))
    const account = {
      type: 'account',
      did: first.did,
      active: false,
      seq: -1,
      time: expect.any(String),
      host: net.relayUrl.slice('http://'.length),
    }
    expect(await events()).toEqual([{ ...account, status: 'takendown' }, account])
    expect(net.requests['com.atproto.sync.getRepo']).toBeUndefined()
  })

  test.each([
    { fault: 'deactivated', status: 'deactivated' },
    { fault: 'takendown', status: 'takendown' },
    { fault: 'suspended', status: 'suspended' },
    { fault: 'not-found', status: 'deleted' },
  ] as const)('$fault at the host: the status $status is passed on (B5)', async ({ fault, status }) => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const { did, pdsUrl } = net.account(0)
    net.faults.getRepo(did, { type: fault })
    await enqueue(listed(net))
    start(backfiller())
    await eventually(async () => expect(await left()).toBe(0))
    const all = await events()
    expect(all.filter((event) => event.did === did)).toMatchObject([
      { type: 'account', active: false, status, host: new URL(pdsUrl).host },
    ])
    expect(closings(all)).toHaveLength(3)
  })
})

describe('hosts that fail for now (B5)', () => {
  const limits = { headersMs: 300, idleMs: 100 }
  test.each<{ name: string; fault: RepoFault; times: number }>([
    { name: 'throttles', fault: { type: 'throttled', retryAfterSeconds: 1 }, times: 1 },
    { name: 'throttles without saying how long', fault: { type: 'throttled' }, times: 6 },
    { name: 'has an error', fault: { type: 'error', status: 503 }, times: 6 },
    { name: 'breaks off', fault: { type: 'cut', afterBytes: 700 }, times: 6 },
    { name: 'stops sending', fault: { type: 'stall', afterBytes: 100 }, times: 2 },
  ])(
    'a host that $name is asked again until it answers, more often than any budget of attempts',
    async ({ fault, times }) => {
      const net = await network()
      const { enqueue, backfiller, start, events, left } = await rig(net)
      net.faults.getRepo(net.account(1).did, fault, { times })
      await enqueue(listed(net))
      const ledger = memoryLedger()
      start(backfiller({ ledger, limits }))
      await eventually(async () => expect(await left()).toBe(0))
      expect(recordsOf(await events())).toEqual(net.records().sort(byUri))
      expect(ledger.letters).toEqual([])
    },
  )

  test('a host that stays away keeps its entries pending, and delays no other host', async () => {
    const net = await network({ accounts: 8 })
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const away = net.pdsUrls.at(0)!
    net.faults.getRepo(away, { type: 'error' })
    await enqueue(listed(net))
    const loop = backfiller()
    start(loop)
    await eventually(async () => expect(await left()).toBe(4))
    await eventually(() =>
      expect(loop.status()).toMatchObject({ done: 4, failed: 0, lastError: { did: expect.any(String) } }),
    )
    expect(closings(await events())).toHaveLength(4)
    net.faults.clear()
    await eventually(async () => expect(await left()).toBe(0))
    expect(recordsOf(await events())).toEqual(net.records().sort(byUri))
  })

  test('a directory that is away makes repos wait, and says nothing about them (D1)', async () => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    net.faults.identity(net.account(2).did, { type: 'error', status: 502 }, { times: 5 })
    await enqueue(listed(net))
    start(backfiller())
    await eventually(async () => expect(await left()).toBe(0))
    expect(closings(await events())).toHaveLength(4)
  })

  test('a host of did:web that never answers delays the DIDs of its domain only (D11)', async () => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const asked: string[] = []
    const toward: GuardedFetch = (url, init) => {
      const { hostname } = new URL(url)
      if (!hostname.endsWith('slow.example')) return fetch(url, init)
      asked.push(hostname)
      return new Promise((_, reject) => setTimeout(() => reject(new Error('no answer')), 100))
    }
    const strangers = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `did:web:${name}.slow.example`)
    await enqueue([...strangers.map((did) => ({ did, host: net.relayUrl, rev: '' })), ...listed(net)])
    const limits = new HostLimits({ backoff: { minMs: 3_600_000, maxMs: 3_600_000 } })
    const { plcUrl } = net
    start(backfiller({ resolver: new DidResolver({ fetch: toward, plcUrl, allowPrivateHosts: true, limits }) }))
    await eventually(async () => expect(await left()).toBe(strangers.length))
    expect(recordsOf(await events())).toEqual(net.records().sort(byUri))
    // As many as there were places, and nobody after they had failed.
    expect(asked).toHaveLength(2)
  })

  test('nobody counts as failed who was not asked: its repos wait for their turn, no longer (D4)', async () => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const resolver = new DidResolver({ fetch, plcUrl: net.plcUrl, allowPrivateHosts: true })
    let refused = 0
    const busy: Pick<DidResolver, 'resolve'> = {
      resolve(did, options) {
        if (refused++ >= 8) return resolver.resolve(did, options)
        return Promise.reject(new TemporaryIdentityError(did, net.plcUrl, { retryAfterMs: 2, wasAsked: false }))
      },
    }
    await enqueue(listed(net))
    start(backfiller({ resolver: busy, hostBackoff: { minMs: 60_000, maxMs: 60_000 } }))
    await eventually(async () => expect(await left()).toBe(0))
    expect(closings(await events())).toHaveLength(4)
  })

  test('what there is no room for is kept in the ledger for later, and delays nobody', async () => {
    const net = await network({ accounts: 12, pdsHosts: 2 })
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const away = net.pdsUrls.at(0)!
    net.faults.getRepo(away, { type: 'error' })
    await enqueue(listed(net))
    const ledger = memoryLedger()
    ledger.failures = 1
    const hostBackoff = { minMs: 60_000, maxMs: 60_000 }
    const loop = backfiller({ ledger, maxWaiting: 2, hostBackoff })
    start(loop)
    const there = net.accounts.filter(({ pdsUrl }) => pdsUrl !== away)
    await eventually(async () => expect(closings(await events())).toHaveLength(there.length))
    await eventually(async () => expect(await left()).toBeLessThanOrEqual(4))
    const host = new URL(net.relayUrl).host
    for (const mark of ledger.marks)
      expect(mark).toMatchObject({ reason: 'busy-host', host, priority: 3, waitMs: 600_000 })
    expect(ledger.marks.length).toBeGreaterThan(0)
    // One that is being put there is in both for a moment.
    await eventually(async () => expect(ledger.marks.length + (await left())).toBe(net.accounts.length - there.length))
    expect(loop.status()).toMatchObject({ done: there.length, failed: 0 })
  })

  test('one slow repo holds neither its neighbours nor what comes after them (S16)', async () => {
    const net = await network()
    const { store, enqueue, start, backfiller, left } = await rig(net)
    const slow = net.account(0).did
    net.faults.getRepo(slow, { type: 'stall' }, { times: 1 })
    const source = store.consumer({
      stream: streams.repoBackfill,
      group: groups.repoBackfill,
      consumer: 'one',
      codec: backfillEventCodec,
      blockMs: 50,
      batchSize: 2,
    })
    await enqueue([...listed(net), ...listed(net).slice(1), ...listed(net).slice(1)])
    const loop = backfiller({ source, limits: { idleMs: 60_000, headersMs: 60_000 } })
    const stop = start(loop)
    await eventually(async () => expect(await left()).toBe(1))
    expect(loop.status()).toMatchObject({ running: 1, done: 9, queued: 0 })
    await stop()
  })
})

describe('repos that do not hold', () => {
  test.each<{ fault: RepoFault; reason: string }>([
    { fault: { type: 'corrupt-block' }, reason: 'bad-block' },
    { fault: { type: 'other-key' }, reason: 'bad-signature' },
    { fault: { type: 'other-did' }, reason: 'wrong-did' },
    { fault: { type: 'error', status: 400 }, reason: 'refused' },
  ])('$reason: nothing is appended, and after some attempts the ledger has it (B7, B8)', async ({ fault, reason }) => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const { did, pdsUrl } = net.account(1)
    net.faults.getRepo(did, fault)
    await enqueue(listed(net))
    const ledger = memoryLedger()
    const loop = backfiller({ ledger })
    start(loop)
    await eventually(async () => expect(await left()).toBe(0))
    const all = await events()
    expect(all.filter((event) => event.did === did)).toEqual([])
    expect(closings(all)).toHaveLength(3)
    const entry = listed(net).at(1)!
    expect(ledger.letters).toMatchObject([
      { stream: streams.repoBackfill, reason, did, payload: JSON.stringify(entry) },
    ])
    expect(ledger.letters.at(0)!.error).toContain(reason === 'wrong-did' ? 'another account' : did)
    expect(ledger.marks).toEqual([{ did, reason: 'invalid-repo', host: new URL(net.relayUrl).host, rev: entry.rev }])
    expect(loop.status()).toMatchObject({ done: 3, failed: 1, retrying: 0, lastError: { did } })
    expect(pdsUrl).not.toBe(net.relayUrl)
  })

  test('repos of the future are left for later, not given up: our clock may be wrong (J13, I18)', async () => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    await enqueue(listed(net))
    const ledger = memoryLedger()
    const loop = backfiller({ ledger })
    // A day before the newest of them was made.
    const revs = net.accounts.map(({ head }) => tidMs(head.rev))
    vi.useFakeTimers({ toFake: ['Date'], now: Math.max(...revs) - 86_400_000 })
    onTestFinished(() => void vi.useRealTimers())
    start(loop)
    await eventually(async () => expect(await left()).toBe(0))
    const late = net.accounts.filter((_, i) => revs[i]! > Date.now() + 5 * 60_000).map(({ did }) => did)
    expect(late.length).toBeGreaterThan(0)
    expect(ledger.letters).toEqual([])
    expect(ledger.marks.map(({ did, reason }) => `${did} ${reason}`).sort()).toEqual(
      late.map((did) => `${did} future-rev`).sort(),
    )
    expect(loop.status()).toMatchObject({ failed: late.length, done: net.accounts.length - late.length })
    expect(closings(await events()).map(({ did }) => did)).not.toEqual(expect.arrayContaining(late))
  })

  test('one that was asked for at its own host is marked without another one (B4)', async () => {
    const net = await network({ accounts: 1 })
    const { enqueue, backfiller, start, left } = await rig(net)
    const { did } = net.account(0)
    net.faults.getRepo(did, { type: 'other-key' })
    await enqueue([{ did, host: OWN_PDS, rev: '' }])
    const ledger = memoryLedger()
    start(backfiller({ ledger }))
    await eventually(async () => expect(await left()).toBe(0))
    expect(ledger.marks).toEqual([{ did, reason: 'invalid-repo', rev: '' }])
  })

  test('without a ledger they stay pending, show in the status, and are tried again', async () => {
    const net = await network()
    const { enqueue, backfiller, start, left } = await rig(net)
    net.faults.getRepo(net.account(1).did, { type: 'other-key' })
    await enqueue(listed(net))
    const loop = backfiller()
    start(loop)
    await eventually(() => expect(loop.status()).toMatchObject({ done: 3, failed: 1, queued: 0 }))
    expect(await left()).toBe(1)
    net.faults.clear()
    await eventually(async () => expect(await left()).toBe(0))
    expect(loop.status()).toMatchObject({ done: 4, failed: 0, retrying: 0 })
  })

  test('a repo that holds on a later attempt is done', async () => {
    const net = await network()
    const { enqueue, backfiller, start, left } = await rig(net)
    net.faults.getRepo(net.account(1).did, { type: 'corrupt-block' }, { times: 2 })
    await enqueue(listed(net))
    const ledger = memoryLedger()
    start(backfiller({ ledger }))
    await eventually(async () => expect(await left()).toBe(0))
    expect(ledger.letters).toEqual([])
  })

  test('a ledger that is away is waited for: nothing is acked before it has the letter (G3)', async () => {
    const net = await network()
    const { enqueue, backfiller, start, left } = await rig(net)
    net.faults.getRepo(net.account(1).did, { type: 'other-did' })
    await enqueue(listed(net))
    const ledger = memoryLedger()
    ledger.failures = Infinity
    const loop = backfiller({ ledger })
    start(loop)
    await eventually(() =>
      expect(loop.status()).toMatchObject({ done: 3, lastError: { message: expect.stringContaining('ledger') } }),
    )
    expect(await left()).toBe(1)
    ledger.failures = 0
    await eventually(async () => expect(await left()).toBe(0))
    expect(ledger.letters).toMatchObject([{ reason: 'wrong-did' }])
  })

  test('a record that no event can carry is kept as a letter, and the others go on (J2)', async () => {
    const net = await network()
    const { enqueue, backfiller, start, events, left } = await rig(net)
    const account = net.account(1)
    const before = account.records().length
    const { uri } = await account.create('app.bsky.feed.post', Buffer.from('a16161fb3ff8000000000000', 'hex'))
    await enqueue(listed(net))
    const ledger = memoryLedger()
    const loop = backfiller({ ledger })
    start(loop)
    await eventually(async () => expect(await left()).toBe(0))
    const [closing] = closings(await events()).filter(({ did }) => did === account.did)
    expect(closing).toMatchObject({ records: before, leftOut: 1 })
    const deletions = (await events()).filter(({ type }) => type === 'delete')
    expect(deletions).toMatchObject([{ did: account.did, rkey: uri.split('/').at(-1), rev: closing?.rev }])
    expect(loop.status().records).toBe(creates(await events()).length)
    expect(ledger.letters).toMatchObject([{ reason: 'bad-number', uri, did: account.did }])
    expect(ledger.marks).toEqual([])
  })
})

describe('entries that are no backfill events (S20)', () => {
  const raw: Codec<string> = { field: 'repo', encode: (text) => text, decode: (text) => text }
  const bad = '{"did":"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa","host":"ftp://x","rev":"1"}'

  test('go to the ledger, and leave the stream', async () => {
    const net = await network({ accounts: 1 })
    const { store, enqueue, backfiller, start, left } = await rig(net)
    await store.writer({ stream: streams.repoBackfill, codec: raw }).append(['garbage', bad])
    await enqueue(listed(net))
    const ledger = memoryLedger()
    ledger.failures = 1
    start(backfiller({ ledger }))
    await eventually(async () => expect(await left()).toBe(0))
    expect(ledger.letters).toMatchObject([
      { stream: streams.repoBackfill, reason: 'bad-json', payload: 'garbage' },
      { stream: streams.repoBackfill, reason: 'bad-host', payload: bad },
    ])
    expect(ledger.marks).toEqual([{ did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', reason: 'bad-entry' }])
  })

  test('are a gap of every host when they left the stream before their ack (S10)', async () => {
    const net = await network({ accounts: 2 })
    const { store, enqueue, backfiller, start, events } = await rig(net)
    await enqueue(listed(net))
    const dead = store.consumer({
      stream: streams.repoBackfill,
      group: groups.repoBackfill,
      consumer: 'one',
      codec: backfillEventCodec,
    })
    for await (const batch of dead.batches(new AbortController().signal)) if (batch.entries.length > 0) break
    using file = new DatabaseSync(store.location)
    file.exec('delete from entry where seq = (select min(seq) from entry)')
    const ledger = memoryLedger()
    ledger.failures = 1
    start(backfiller({ ledger }))
    await eventually(async () => expect(closings(await events())).toHaveLength(1))
    const pending = async () => (await store.status([streams.repoBackfill]))[0]?.groups[0]?.pending
    await eventually(async () => expect(await pending()).toBe(0))
    expect(ledger.gaps).toEqual([{ host: '', stream: streams.repoBackfill, reason: 'lost-entries' }])
    expect(ledger.letters).toEqual([])
  })

  test('stay in the stream without a ledger, and hold nobody up', async () => {
    const net = await network({ accounts: 1 })
    const { store, enqueue, backfiller, start, events, left } = await rig(net)
    await store.writer({ stream: streams.repoBackfill, codec: raw }).append(['garbage'])
    await enqueue(listed(net))
    start(backfiller())
    await eventually(async () => expect(closings(await events())).toHaveLength(1))
    await eventually(async () => expect(await left()).toBe(1))
  })
})

describe('stopping and starting again', () => {
  test('a backfill that ends between two chunks gives everything when it is run again (B13)', async () => {
    const net = await network({ accounts: 1, recordsPerAccount: 40 })
    const { sink, enqueue, backfiller, events, left, start } = await rig(net)
    await enqueue(listed(net))
    const stop = new AbortController()
    let chunks = 0
    const interrupted: EventSink<string> = {
      stream: sink.stream,
      append: async (chunk, options) => {
        await sink.append(chunk, options)
        if (++chunks === 2) stop.abort(new Error('stopped'))
      },
    }
    await backfiller({ sink: interrupted, chunkSize: 10 }).run(stop.signal)
    const before = await events()
    expect([creates(before).length, closings(before).length, await left()]).toEqual([20, 0, 1])

    start(backfiller({ chunkSize: 10 }))
    await eventually(async () => expect(await left()).toBe(0))
    const after = (await events()).slice(before.length)
    expect(recordsOf(after)).toEqual(net.records().sort(byUri))
    expect(closings(after)).toMatchObject([{ records: net.records().length }])
  })

  test('while the sink is at its high water mark nothing is acked, and stopping ends the wait (B18)', async () => {
    const net = await network({ accounts: 1, recordsPerAccount: 40 })
    const { store, enqueue, backfiller, events, left, start } = await rig(net)
    await enqueue(listed(net))
    const full = store.writer({
      stream: streams.firehoseBackfill,
      codec: streamEventTextCodec,
      highWaterMark: 10,
      checkMs: 10,
    })
    const stop = start(backfiller({ sink: full, chunkSize: 10 }))
    await eventually(async () => expect(await events()).toHaveLength(10))
    await stop()
    expect([(await events()).length, await left()]).toEqual([10, 1])
  })

  test('a backfill that is paused fetches nothing until it goes on', async () => {
    const net = await network()
    const { enqueue, backfiller, left, start } = await rig(net)
    const loop = backfiller()
    loop.setPaused(true)
    await enqueue(listed(net))
    start(loop)
    await eventually(() => expect(loop.status().queued).toBe(4))
    expect(net.requests['com.atproto.sync.getRepo']).toBeUndefined()
    loop.setPaused(false)
    await eventually(async () => expect(await left()).toBe(0))
  })

  test('the same loop can be run again', async () => {
    const net = await network()
    const { enqueue, backfiller, left, start } = await rig(net)
    const loop = backfiller()
    await start(loop)()
    await enqueue(listed(net))
    start(loop)
    await eventually(async () => expect(await left()).toBe(0))
  })

  test('a stream that fails for good ends the loop with its error, and nothing is acked', async () => {
    const net = await network()
    const { enqueue, backfiller, left } = await rig(net)
    await enqueue(listed(net))
    const failure = new Error('the stream is gone')
    const sink = { stream: streams.firehoseBackfill, append: () => Promise.reject(failure) }
    await expect(backfiller({ sink }).run(new AbortController().signal)).rejects.toBe(failure)
    expect(await left()).toBe(4)
  })
})

test('metrics show 0 from the start, and add up (O2)', async () => {
  // Each on a host of its own: a repo that waits for the host of another would count as well.
  const net = await network({ pdsHosts: 4 })
  const { enqueue, backfiller, start, left } = await rig(net)
  const values = new Map<string, number>()
  const key = (name: string, labels: object = {}): string => [name, ...Object.values(labels)].join(' ')
  const meter: Meter = {
    counter: (name) => ({
      add: (value, labels) => void values.set(key(name, labels), (values.get(key(name, labels)) ?? 0) + value),
    }),
    gauge: (name) => ({ set: (value, labels) => void values.set(key(name, labels), value) }),
    histogram: (name) => ({ observe: () => void values.set(key(name), (values.get(key(name)) ?? 0) + 1) }),
  }
  net.faults.getRepo(net.account(0).did, { type: 'takendown' })
  net.faults.getRepo(net.account(1).did, { type: 'error' }, { times: 2 })
  const loop = backfiller({ meter, ledger: memoryLedger() })
  expect(values.size).toBeGreaterThan(10)
  expect([...values.values()].every((value) => value === 0)).toBe(true)
  await enqueue([...listed(net), { ...listed(net).at(0)!, active: false }])
  const stop = start(loop)
  await eventually(async () => expect(await left()).toBe(0))
  await stop()
  const { records, bytes } = loop.status()
  expect(Object.fromEntries([...values].filter(([, value]) => value !== 0))).toEqual({
    'millrace_backfill_repos_total done': 3,
    'millrace_backfill_repos_total unavailable': 1,
    'millrace_backfill_repos_total inactive': 1,
    'millrace_backfill_retries_total fetch': 2,
    millrace_backfill_records_total: records,
    millrace_backfill_bytes_total: bytes,
    millrace_backfill_seconds: 3,
  })
})
