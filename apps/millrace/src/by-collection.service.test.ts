import { backfillerLoops } from '@millrace/backfiller'
import { BY_COLLECTION, migrate, openDatabase, PostgresLedger, type Database } from '@millrace/database'
import { startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver } from '@millrace/identity'
import { IndexingService, StreamIndexer } from '@millrace/indexing'
import { describeTrouble, ingesterLoops, shareAccounts, shareCollections } from '@millrace/ingester'
import { runAll } from '@millrace/runtime'
import { openStreams } from '@millrace/stores'
import {
  CollectionFilter,
  cursorKey,
  groups,
  INGESTER_DONE,
  noMeter,
  silentLogger,
  streamEventCodec,
  streams,
  type Loop,
  type StreamStore,
} from '@millrace/stream-protocol'
import { eventually as soon, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'

const status = 'xyz.statusphere.status'
const mood = 'xyz.statusphere.mood'
const post = 'app.bsky.feed.post'
const quiet = { logger: silentLogger, meter: noMeter }
const eventually = <T>(assertion: () => T | Promise<T>) => soon(assertion, { timeoutMs: 20_000 })

/** A network, and what takes some of its accounts by their records. */
class Rig implements AsyncDisposable {
  readonly network: SimulatedNetwork
  readonly store: StreamStore
  readonly database: Database
  readonly host: string
  readonly collections = new CollectionFilter([status, mood])
  readonly #stack: AsyncDisposableStack

  private constructor(rig: Pick<Rig, 'network' | 'store' | 'database' | 'host'>, stack: AsyncDisposableStack) {
    this.network = rig.network
    this.store = rig.store
    this.database = rig.database
    this.host = rig.host
    this.#stack = stack
  }

  static async open(urls: { redisUrl: string; databaseUrl: string }, host?: 'pds'): Promise<Rig> {
    await using stack = new AsyncDisposableStack()
    const network = stack.use(
      // One request for each repo that is fetched.
      await startSimulatedNetwork({
        accounts: 9,
        recordsPerAccount: 3,
        labels: 0,
        redirectGetRepo: false,
        pdsFirehoses: true,
      }),
    )
    const location = urls.redisUrl
    const store = stack.use(await openStreams({ kind: 'redis', url: location, location, why: 'it is a test' }))
    const database = stack.use(await openDatabase({ url: urls.databaseUrl, poolSize: 8, pipeline: true }))
    await migrate(database)
    const { pdsUrl } = network.account(0)
    return new Rig({ network, store, database, host: host === 'pds' ? pdsUrl : network.relayUrl }, stack.move())
  }

  /** @returns what ends them; else they end with all of it. */
  start(loops: readonly Loop[]): () => Promise<void> {
    const stop = new AbortController()
    const running = runAll(loops, stop.signal, quiet)
    const end = async (): Promise<void> => {
      stop.abort()
      await running
    }
    this.#stack.defer(end)
    return end
  }

  async ingesters(options: { maxRepos?: number } = {}) {
    const { database, store, collections, host } = this
    const hosts = [host]
    await shareCollections({ database, collections, hosts, logger: silentLogger })
    await shareAccounts({ database, dids: BY_COLLECTION, hosts, logger: silentLogger })
    const ledger = new PostgresLedger({ database })
    return ingesterLoops({ ...quiet, ...options, store, ledger, database, hosts, collections, dids: BY_COLLECTION })
  }

  async workers(): Promise<Loop[]> {
    const { database, store, network } = this
    const fetch = createGuardedFetch({ allowPrivateHosts: true })
    const { plcUrl } = network
    const resolver = new DidResolver({ fetch, plcUrl, allowPrivateHosts: true, minIntervalMs: 0 })
    const ledger = new PostgresLedger({ database })
    const hostUrl = (host: string): string => `http://${host}`
    const indexing = await IndexingService.open({ database, plugins: [] })
    const indexers = [streams.firehoseLive, streams.firehoseBackfill].map((stream) => {
      const source = store.consumer({ stream, group: groups.firehose, consumer: 'one', codec: streamEventCodec })
      return new StreamIndexer({ ...quiet, source, ledger, indexing })
    })
    return [
      ...indexers,
      ...backfillerLoops({ ...quiet, store, database, ledger, hostUrl, consumer: 'one', resolver, fetch }),
    ]
  }

  fetched(): number {
    return this.network.requests['com.atproto.sync.getRepo'] ?? 0
  }

  /** Without the pause before what was fetched a moment ago, or may be listed. */
  async fetchedNow(times: number): Promise<void> {
    await eventually(async () => {
      await this.database.pool.query('update millrace_dirty set next_at = now() where attempts = 0')
      expect(this.fetched()).toBe(times)
    })
  }

  /** What a fresh index of the collections would have. */
  truth(): string[] {
    const taken = this.network.records().filter(({ uri }) => this.collections.has(uri.split('/')[3]!))
    return taken.map(({ uri, cid }) => `${uri} ${cid}`).sort()
  }

  async rows(): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ row: string }>(`select uri || ' ' || cid as row from record`)
    return rows.map(({ row }) => row).sort()
  }

  async isWhole(): Promise<void> {
    await eventually(async () => {
      expect(await this.rows()).toEqual(this.truth())
      expect(await this.column('select did as value from millrace_dirty')).toEqual([])
    })
  }

  async column(sql: string): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ value: string }>(sql)
    return rows.map(({ value }) => value).sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

serviceTest(
  'where accounts are taken by the collections of their records, no other repo is fetched, and none of these is lost (I25, I26)',
  { timeout: 240_000 },
  async ({ redisUrl, databaseUrl }) => {
    await using rig = await Rig.open({ redisUrl, databaseUrl })
    const { network, store, host } = rig
    const [one, two, three, four, five, six, seven] = Array.from({ length: 7 }, (_, n) => network.account(n))
    const set = (account = one!, collection = status) => account.create(collection, { $type: collection, status: '👍' })
    const write = (account = one!) => account.create(post, { text: 'hello', createdAt: new Date().toISOString() })
    for (const account of [one, two, three]) await set(account)
    // Listed twice, and fetched once.
    await set(three, mood)
    await set(four, mood)

    // A process that ends in the middle of the list.
    const end = rig.start(await rig.ingesters({ maxRepos: 1 }))
    const listed = () => store.cursors.get(cursorKey(streams.repoBackfill, host))
    await eventually(async () => expect(await listed()).toMatch(/^by-collection xyz\.statusphere\.mood ./))
    await end()
    rig.start(await rig.ingesters())
    await eventually(async () => expect(await listed()).toBe(INGESTER_DONE))
    rig.start(await rig.workers())
    await rig.isWhole()
    const members = [one, two, three, four].map((account) => account!.did).sort()
    expect(await rig.column('select did as value from millrace_repo')).toEqual(members)
    expect(rig.fetched()).toBe(4)

    // Others, in every way that there is; and one of ours, whose next commit follows this one.
    await write(five)
    await five!.applyWrites([{ action: 'create', collection: post, record: { text: 'much' } }], { frame: 'too-big' })
    await six!.announceSync()
    await six!.changeHandle()
    await seven!.deactivate()
    await write(two)
    await set(two)
    await rig.isWhole()
    expect(rig.fetched()).toBe(4)
    expect(await rig.column('select did as value from actor')).toEqual(members)
    const heads = await rig.column('select did || head_rev as value from millrace_repo where broken_rev is null')
    expect(heads).toEqual([one, two, three, four].map((account) => account!.did + account!.head.rev).sort())

    // What cannot be followed is fetched if it is of ours.
    await three!.applyWrites([{ action: 'create', collection: post, record: { text: 'much' } }], { frame: 'too-big' })
    await rig.fetchedNow(5)
    // One that we do not know has a record of a collection: it is fetched, as others of it may be older.
    await set(five)
    await rig.fetchedNow(6)
    await write(five)
    await set(five)
    await rig.isWhole()
    expect(rig.fetched()).toBe(6)
  },
)

serviceTest(
  'a host that does not list by collection is waited for, and named, and its firehose is read',
  async ({ redisUrl, databaseUrl }) => {
    await using rig = await Rig.open({ redisUrl, databaseUrl }, 'pds')
    const loops = await rig.ingesters()
    rig.start(loops)
    await eventually(() => expect(describeTrouble(loops)).toMatch(/HTTP status 501.*listReposByCollection/))
    await eventually(() => expect(loops.map((loop) => loop.status().state)).toEqual(['streaming', 'waiting']))
  },
)
