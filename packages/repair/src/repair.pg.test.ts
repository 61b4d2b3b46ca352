import {
  BY_COLLECTION,
  DirtyQueue,
  migrate,
  openDatabase,
  PostgresLedger,
  readCollectionFilter,
  readOwedHosts,
  registerUpstreams,
  shareCollectionFilter,
  shareRepos,
  type Database,
} from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork, type SimulatedNetworkOptions } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver, type GuardedFetch } from '@millrace/identity'
import { IndexingService } from '@millrace/indexing'
import { RepoBackfiller } from '@millrace/repo-backfill'
import {
  CollectionFilter,
  streamEventCodec,
  streams,
  type BackfillEvent,
  type BatchSource,
  type EventSink,
} from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { auditRepo } from './audit-repo.ts'
import { previewRepair } from './preview-repair.ts'
import { readOpenGaps } from './read-open-gaps.ts'
import { RepairRunner } from './repair-runner.ts'
import { RepairScheduler } from './repair-scheduler.ts'
import { RepairStore } from './repair-store.ts'

/** A network, its rows, and everything that repairs them, in one process and without streams. */
class Rig implements AsyncDisposable {
  readonly network: SimulatedNetwork
  readonly database: Database
  readonly indexing: IndexingService
  readonly host: string
  readonly store: RepairStore
  readonly runner: RepairRunner
  readonly scheduler: RepairScheduler
  readonly resolver: DidResolver
  readonly fetch: GuardedFetch
  /** Paths of requests, by their last part. */
  readonly asked = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #running: Promise<void>[] = []

  private constructor(network: SimulatedNetwork, database: Database, indexing: IndexingService) {
    this.network = network
    this.database = database
    this.indexing = indexing
    this.host = new URL(network.relayUrl).host
    const guarded = createGuardedFetch({ allowPrivateHosts: true })
    this.fetch = (url, init) => {
      const name = new URL(url).pathname.split('.').at(-1)!
      this.asked.set(name, (this.asked.get(name) ?? 0) + 1)
      return guarded(url, init)
    }
    this.resolver = new DidResolver({ fetch: guarded, plcUrl: network.plcUrl, allowPrivateHosts: true })
    this.store = new RepairStore(database)
    const shared = { database, resolver: this.resolver, fetch: this.fetch, hostUrl }
    this.runner = new RepairRunner({ ...shared, pageLimit: 7, sampleSize: 5, idleMs: 5 })
    this.scheduler = new RepairScheduler({ database, settleMs: 0, intervalMs: 20 })
  }

  static async open(databaseUrl: string, options: SimulatedNetworkOptions = {}): Promise<Rig> {
    const network = await startSimulatedNetwork({ accounts: 20, recordsPerAccount: 8, time: 'real', ...options })
    const database = await openDatabase({ url: databaseUrl, poolSize: 6, pipeline: true })
    await migrate(database)
    const indexing = await IndexingService.open({ database, plugins: [] })
    const rig = new Rig(network, database, indexing)
    await registerUpstreams(database, [{ host: rig.host, stream: streams.firehoseLive, url: network.relayUrl }])
    return rig
  }

  start(...loops: { run(signal: AbortSignal): Promise<void> }[]): void {
    for (const loop of loops) this.#running.push(loop.run(this.#stop.signal))
  }

  backfiller(source: BatchSource<BackfillEvent>): RepoBackfiller {
    const { indexing, resolver, fetch, database } = this
    const sink: EventSink<string> = {
      stream: streams.firehoseBackfill,
      append: async (texts) => void (await indexing.index(texts.map(streamEventCodec.decode))),
    }
    const ledger = new PostgresLedger({ database })
    const collections = () => readCollectionFilter(database)
    const hostBackoff = { minMs: 5, maxMs: 20 }
    return new RepoBackfiller({ source, sink, resolver, fetch, ledger, collections, hostBackoff })
  }

  /** Everything that heals, as the backfiller process has it. */
  heal(): void {
    const queue = new DirtyQueue({ database: this.database, hostUrl, idleMs: 5 })
    this.start(this.backfiller(queue), this.runner, this.scheduler)
  }

  async loadAll(): Promise<void> {
    const { id } = await this.store.plan({ host: this.host, reason: 'asked' })
    await this.done(id)
  }

  async done(id: number) {
    await eventually(async () => expect((await this.store.get(id))?.state).toBe('done'), { timeoutMs: 60_000 })
    return (await this.store.get(id))!
  }

  async uris(): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ uri: string; cid: string }>('select uri, cid from record')
    return rows.map(({ uri, cid }) => `${uri} ${cid}`).sort()
  }

  truth(): string[] {
    return this.network
      .records()
      .map(({ uri, cid }) => `${uri} ${cid}`)
      .sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#running)
    await this.database[Symbol.asyncDispose]()
    await this.network[Symbol.asyncDispose]()
  }
}

const hostUrl = (host: string): string => `http://${host}`

describe('a repair', () => {
  pgTest(
    'of an empty database is a backfill, and one of a whole database costs its list (B2)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      rig.heal()
      await rig.loadAll()
      expect(await rig.uris()).toEqual(rig.truth())
      rig.asked.clear()
      const { id } = await rig.store.plan({ host: rig.host, reason: 'asked' })
      const repair = await rig.done(id)
      expect(repair).toMatchObject({ listed: 20, current: 20, moved: 0, unknown: 0, diverged: 0 })
      // The list, and the sample that proves it.
      expect(rig.asked.get('getRepo') ?? 0).toBeLessThanOrEqual(5 * 2)
      expect(await rig.store.counts(id)).toEqual([])
    },
  )

  pgTest(
    'of more collections than were taken brings what was left out (B20, I25)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      const { database, host } = rig
      const share = (...patterns: string[]) =>
        shareCollectionFilter({ database, collections: new CollectionFilter(patterns), hosts: [host] })
      await share('app.bsky.graph.*')
      rig.heal()
      await rig.loadAll()
      const isOfGraph = (row: string): boolean => row.split('/')[3]!.startsWith('app.bsky.graph.')
      expect(await rig.uris()).toEqual(rig.truth().filter(isOfGraph))
      expect(await rig.uris()).not.toEqual([])
      await share('*')
      await eventually(async () => expect(await readOwedHosts(database)).toEqual([]), { timeoutMs: 60_000 })
      const [repair] = await rig.store.list()
      expect(repair).toMatchObject({ host, reason: 'collections', reindex: true })
      expect(await rig.done(repair!.id)).toMatchObject({ failed: 0, diverged: 0 })
      expect(await rig.uris()).toEqual(rig.truth())
    },
  )

  pgTest(
    'fetches none but the accounts that are taken, where only some are (I25)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      const { database, host, network } = rig
      const dids = new Set([network.account(2).did, network.account(5).did])
      await shareRepos({ database, dids, hosts: [host] })
      rig.heal()
      await rig.loadAll()
      const isTaken = (row: string): boolean => dids.has(row.split('/')[2]!)
      expect(await rig.uris()).toEqual(rig.truth().filter(isTaken))
      expect(await rig.uris()).not.toEqual([])
    },
  )

  pgTest(
    'where accounts are taken by collection, finds those that are new, and what has moved of those that are known (I25)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      const { database, host, network } = rig
      const collections = new CollectionFilter(['xyz.statusphere.mood', 'xyz.statusphere.status'])
      await shareCollectionFilter({ database, collections, hosts: [host] })
      await shareRepos({ database, dids: BY_COLLECTION, hosts: [host] })
      const set = (n: number) => network.account(n).create('xyz.statusphere.status', { status: '👍' })
      const wanted = () => rig.truth().filter((row) => collections.has(row.split('/')[3]!))
      for (const n of [2, 5]) await set(n)
      rig.heal()
      await rig.loadAll()
      expect(await rig.uris()).toEqual(wanted())
      // Nobody has heard of any of these.
      for (const n of [5, 7]) await set(n)
      await network.account(9).create('app.bsky.feed.post', { text: 'hi', createdAt: new Date().toISOString() })
      const preview = await previewRepair({
        database,
        url: network.relayUrl,
        fetch: rig.fetch,
        signal: AbortSignal.timeout(20_000),
      })
      expect(preview).toMatchObject({ fetch: 2, counts: { unknown: 1, moved: 1 } })
      const { id } = await rig.store.plan({ host, reason: 'asked' })
      expect(await rig.done(id)).toMatchObject({ moved: 1, diverged: 0, failed: 0 })
      expect(await rig.uris()).toEqual(wanted())
      const { rows } = await database.pool.query<{ did: string }>('select did from millrace_repo')
      expect(new Set(rows.map(({ did }) => did))).toEqual(new Set([2, 5, 7].map((n) => network.account(n).did)))
    },
  )

  pgTest(
    'fetches what has moved, and reports what that changed, deletions too (B11)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      rig.heal()
      await rig.loadAll()
      const account = rig.network.account(3)
      const mine = rig.network.records().filter(({ uri }) => uri.startsWith(`at://${account.did}/app.bsky.feed.like`))
      const { uri } = await account.create('app.bsky.feed.post', { text: 'new', createdAt: new Date().toISOString() })
      await account.delete(mine[0]!.uri)
      const { id } = await rig.store.plan({ host: rig.host, reason: 'asked' })
      const repair = await rig.done(id)
      expect(repair).toMatchObject({ moved: 1, current: 19, failed: 0, diverged: 0 })
      expect(await rig.uris()).toEqual(rig.truth())
      expect((await rig.uris()).some((row) => row.startsWith(`${uri} `))).toBe(true)
      const counts = new Map((await rig.store.counts(id)).map((count) => [count.collection, count]))
      expect(counts.get('app.bsky.feed.post')).toMatchObject({ created: 1 })
      expect(counts.get('app.bsky.feed.like')).toMatchObject({ created: 0, deleted: 1, unchanged: mine.length - 1 })
    },
  )

  pgTest(
    'has PDSs asked about accounts whose status is another one at the host: words of it may be lost (D9)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      rig.heal()
      await rig.loadAll()
      await rig.network.account(3).deactivate()
      const { id } = await rig.store.plan({ host: rig.host, reason: 'asked' })
      expect(await rig.done(id)).toMatchObject({ inactive: 1, current: 19 })
      const { rows } = await rig.database.pool.query('select did from millrace_account where next_at is not null')
      expect(rows).toEqual([{ did: rig.network.account(3).did }])
    },
  )

  pgTest(
    'takes the word of a host that has taken an account down, or gives it back, for an event that was lost (D9, I23)',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      rig.heal()
      await rig.loadAll()
      const [down, back, heard] = [rig.network.account(3), rig.network.account(4), rig.network.account(5)]
      await down.takedown()
      const say = `insert into millrace_account_status (did, host, active, status, seq, time) values ($1, $2, false, 'takendown', 7, $3)`
      await rig.database.pool.query(say, [back.did, rig.host, '2026-01-01T00:00:00.000Z'])
      await rig.database.pool.query(say, [heard.did, rig.host, new Date().toISOString()])
      await rig.database.pool.query(`update actor set "upstreamStatus" = 'takendown' where did = any ($1::text[])`, [
        [back.did, heard.did],
      ])
      const { id } = await rig.store.plan({ host: rig.host, reason: 'asked' })
      await rig.done(id)
      const { rows } = await rig.database.pool.query<{ did: string }>(
        'select did, active, status, seq::int from millrace_account_status where host = $1',
        [rig.host],
      )
      expect(rows).toHaveLength(3)
      expect(rows).toEqual(
        expect.arrayContaining([
          { did: down.did, active: false, status: 'takendown', seq: 0 },
          { did: back.did, active: true, status: null, seq: 7 },
          // Newer than the list may be.
          { did: heard.did, active: false, status: 'takendown', seq: 7 },
        ]),
      )
    },
  )

  pgTest('begins by itself for a gap, and closes it (O6)', { timeout: 180_000 }, async ({ databaseUrl }) => {
    await using rig = await Rig.open(databaseUrl)
    rig.heal()
    await rig.loadAll()
    await rig.network.write(30)
    await new PostgresLedger({ database: rig.database }).recordGap({
      host: rig.host,
      stream: streams.firehoseLive,
      reason: 'outdated-cursor',
    })
    await eventually(
      async () => {
        const { rows } = await rig.database.pool.query('select from millrace_gap where closed_at is null')
        expect(rows).toEqual([])
      },
      { timeoutMs: 60_000 },
    )
    expect(await rig.uris()).toEqual(rig.truth())
    const [repair] = await rig.store.list()
    expect(repair).toMatchObject({ reason: 'gap', state: 'done' })
  })

  pgTest('that only looks changes nothing', { timeout: 180_000 }, async ({ databaseUrl }) => {
    await using rig = await Rig.open(databaseUrl)
    rig.start(rig.runner)
    const { id } = await rig.store.plan({ host: rig.host, reason: 'asked', dryRun: true })
    expect(await rig.done(id)).toMatchObject({ listed: 20, unknown: 20 })
    expect((await rig.database.pool.query('select from millrace_dirty')).rows).toEqual([])
  })

  pgTest('goes on where a process that died has left it', { timeout: 180_000 }, async ({ databaseUrl }) => {
    await using rig = await Rig.open(databaseUrl)
    const { id } = await rig.store.plan({ host: rig.host, reason: 'asked', dryRun: true })
    const { signal } = new AbortController()
    await rig.runner.step(signal)
    const first = await rig.store.get(id)
    expect(first).toMatchObject({ listed: 7, state: 'listing' })
    // Taken, and never given back.
    await rig.store.take(60_000)
    expect(await rig.runner.step(signal)).toBe(false)
    await rig.database.pool.query('update millrace_repair set leased_until = now()')
    rig.start(rig.runner)
    expect(await rig.done(id)).toMatchObject({ listed: 20 })
  })

  pgTest(
    'closes no gap but of its own host: one of no known host is one of each (I8, S10)',
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      const { database, host, store } = rig
      await registerUpstreams(database, [
        { host: 'other.example', stream: streams.firehoseLive, url: 'https://other.example' },
      ])
      const ledger = new PostgresLedger({ database })
      const gap = { host: '', stream: streams.firehoseLive, reason: 'lost-entries' }
      await ledger.recordGap(gap)
      await ledger.recordGap({ ...gap, stream: streams.labelLive })
      const gaps = async () => (await readOpenGaps(database)).map(({ host, stream, repair }) => [host, stream, repair])
      const { id } = await store.plan({ host, reason: 'gap' })
      expect(await gaps()).toEqual([
        ['', streams.labelLive, null],
        [host, streams.firehoseLive, id],
        ['other.example', streams.firehoseLive, null],
      ])
      // What is lost while it runs may be of a repo that it has compared already.
      await ledger.recordGap({ ...gap, host })
      expect((await gaps())[1]).toEqual([host, streams.firehoseLive, null])
    },
  )

  pgTest('waits while it is paused, and ends when it is cancelled', { timeout: 180_000 }, async ({ databaseUrl }) => {
    await using rig = await Rig.open(databaseUrl)
    const { id, isNew } = await rig.store.plan({ host: rig.host, reason: 'asked' })
    expect(isNew).toBe(true)
    expect(await rig.store.plan({ host: rig.host, reason: 'gap' })).toEqual({ id, isNew: false })
    await rig.runner.step(new AbortController().signal)
    expect(await rig.store.setPaused(id, true)).toBe(true)
    expect(await rig.runner.step(new AbortController().signal)).toBe(false)
    expect(await rig.store.setPaused(id, false)).toBe(true)
    expect(await rig.store.cancel(id)).toBe(true)
    expect(await rig.store.cancel(id)).toBe(false)
    expect(await rig.store.get(id)).toMatchObject({ state: 'cancelled', waiting: 0 })
  })

  pgTest(
    'does not wait for ever for a repo that cannot be had: it stays marked, and is counted',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl)
      const { did } = rig.network.account(2)
      rig.network.faults.getRepo(did, { type: 'corrupt-block' })
      rig.heal()
      const { id } = await rig.store.plan({ host: rig.host, reason: 'asked' })
      await eventually(
        async () => {
          const { rows } = await rig.database.pool.query('select did from millrace_dirty')
          expect(rows).toEqual([{ did }])
        },
        { timeoutMs: 60_000 },
      )
      await rig.database.pool.query('update millrace_dirty set attempts = 3')
      expect(await rig.done(id)).toMatchObject({ failed: 1 })
      expect((await rig.database.pool.query('select did, repair from millrace_dirty')).rows).toEqual([
        { did, repair: null },
      ])
    },
  )
})

describe('rows that are not what the repo is, at one revision (O8)', () => {
  pgTest(
    'are found by comparing, and made right by the repair that found them',
    { timeout: 180_000 },
    async ({ databaseUrl }) => {
      await using rig = await Rig.open(databaseUrl, { accounts: 4 })
      rig.heal()
      await rig.loadAll()
      const { did } = rig.network.account(1)
      const audit = () => auditRepo(did, rig)
      expect(await audit()).toMatchObject({ kind: 'same', missing: [], stale: [], extra: [] })
      await rig.database.pool.query(`delete from record where uri = (select min(uri) from record where did = $1)`, [
        did,
      ])
      await rig.database.pool.query(
        `update record set cid = 'wrong' where uri = (select max(uri) from record where did = $1)`,
        [did],
      )
      expect(await audit()).toMatchObject({
        kind: 'diverged',
        missing: [expect.any(String)],
        stale: [expect.any(String)],
        extra: [],
      })
      const { id } = await rig.store.plan({ host: rig.host, reason: 'asked' })
      expect(await rig.done(id)).toMatchObject({ current: 4, diverged: 1 })
      expect(await audit()).toMatchObject({ kind: 'same', missing: [], stale: [], extra: [] })
      expect(await rig.uris()).toEqual(rig.truth())
    },
  )
})
