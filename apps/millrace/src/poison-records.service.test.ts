import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { backfillerLoops } from '@millrace/backfiller'
import { PostgresLedger, type Database } from '@millrace/database'
import { encodeFrame, startSimulatedNetwork, type SimulatedNetwork } from '@millrace/dev-network'
import { createGuardedFetch, DidResolver, HandleResolver, PdsStatus } from '@millrace/identity'
import { indexerLoops, indexingPoolSize } from '@millrace/indexer'
import { FirehoseIngester } from '@millrace/ingest'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import {
  backfillEventCodec,
  noMeter,
  recordUri,
  silentLogger,
  streamEventCodec,
  streams,
  type EventSink,
  type Loop,
  type StreamEvent,
  type StreamStore,
} from '@millrace/stream-protocol'
import { eventually, serviceTest } from '@millrace/testing'
import { expect } from 'vitest'
import { upIndexerSettings } from './up/pipeline.ts'

const POST = 'app.bsky.feed.post'
const FOLLOW = 'app.bsky.graph.follow'
const LIKE = 'app.bsky.feed.like'
const THING = 'com.example.thing'
const createdAt = '2024-06-01T00:00:00.000Z'
const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const post = (fields: object = {}) => ({ $type: POST, text: 'hello', createdAt, ...fields })
const levels = (count: number): string => `${'81'.repeat(count - 2)}80`

/** The block of a record with one more field, `a`, whose value is given as CBOR: for what no encoder would write. */
function blockWith(value: string, record: object = post()): Uint8Array {
  const head = encodeFrame({ op: 1 }, {}).length - 1
  const [map, ...fields] = encodeFrame({ op: 1 }, record as Parameters<typeof encodeFrame>[1]).subarray(head)
  return Buffer.concat([Buffer.from([map! + 1, 0x61, 0x61]), Buffer.from(value, 'hex'), Buffer.from(fields)])
}

const longText = (bytes: number): string => 'x'.repeat(bytes)

/** Records that are none, by class, with what becomes of each on every path. */
const poison: readonly { name: string; collection?: string; record: object; reason: string }[] = [
  { name: 'a lone surrogate (J5)', record: blockWith('63eda080'), reason: 'bad-utf8' },
  { name: 'invalid UTF-8 (J5)', record: blockWith('62c328'), reason: 'bad-utf8' },
  { name: 'a BigInt (J2)', record: blockWith('1b1000000000000000'), reason: 'bad-number' },
  { name: 'a float (J2)', record: blockWith('fb3ff8000000000000'), reason: 'bad-number' },
  { name: 'a whole float (J1)', record: blockWith('fb3ff0000000000000'), reason: 'bad-number' },
  { name: 'undefined (J2)', record: blockWith('f7'), reason: 'bad-cbor' },
  { name: 'an unknown tag (J7)', record: blockWith('c100'), reason: 'bad-cbor' },
  { name: '65 levels (J8)', record: blockWith(levels(65)), reason: 'too-deep' },
  { name: '100,000 levels (J8)', record: blockWith(levels(100_000)), reason: 'too-deep' },
  {
    name: 'a map that looks like a link (J3)',
    record: blockWith('a1 65 246c696e6b 6178'.replaceAll(' ', '')),
    reason: 'unrepresentable-record',
  },
  { name: 'a __proto__ key (J4)', record: blockWith('a1695f5f70726f746f5f5ff5'), reason: 'invalid-record' },
  { name: 'a bad date (J10)', record: post({ createdAt: 'yesterday' }), reason: 'invalid-record' },
  { name: 'the wrong $type (J12)', record: { ...post(), $type: LIKE }, reason: 'invalid-record' },
  { name: 'no $type (J12)', record: blockWith('01', { text: 'hello', createdAt }), reason: 'invalid-record' },
  {
    name: 'the wrong $type of a collection that nobody knows (J12)',
    collection: THING,
    record: { $type: POST },
    reason: 'invalid-record',
  },
  { name: 'over-long text', record: post({ text: longText(3_001) }), reason: 'invalid-record' },
  {
    name: 'a subject of 3 KB (J6, J11)',
    collection: FOLLOW,
    record: { $type: FOLLOW, subject: `did:web:${longText(3_000)}`, createdAt },
    reason: 'invalid-record',
  },
  {
    name: 'a subject of 3 KB in an index (J6)',
    collection: LIKE,
    record: {
      $type: LIKE,
      subject: { uri: `at://did:plc:abc/${POST}/${longText(500)}?${longText(2_500)}`, cid },
      createdAt,
    },
    reason: 'invalid-record',
  },
]

/** Records that look odd, and are some. */
const odd: readonly { name: string; collection?: string; record: object }[] = [
  { name: 'U+0000 (J5)', record: post({ text: 'a\u0000b', tags: ['c\u0000'] }) },
  { name: '64 levels (J8)', record: blockWith(levels(64)) },
  { name: 'the largest integer (J2)', record: blockWith('1b001fffffffffffff') },
  { name: 'bytes (J3)', record: blockWith('43fffefd') },
  { name: 'unknown $ fields (J12)', record: post({ $more: 1, extra: { $odd: [1] } }) },
  { name: 'keys of objects (J4)', record: post({ constructor: 1, toString: 'x', hasOwnProperty: null }) },
  {
    name: '__proto__ in a collection that nobody knows (J4)',
    collection: THING,
    record: blockWith('a1695f5f70726f746f5f5ff5', { $type: THING }),
  },
  { name: 'a date without zone (J10)', record: post({ createdAt: '2024-06-01T12:00:00' }) },
  { name: 'a date with many digits (J10)', record: post({ createdAt: '2024-06-01T12:00:00.123456789Z' }) },
  { name: 'a second too many (J10)', record: post({ createdAt: '2024-06-30T23:59:60Z' }) },
  { name: 'a date after the year 9999 in UTC (J10)', record: post({ createdAt: '9999-12-31T23:59:59-01:00' }) },
  {
    name: 'a handle for an authority (J11)',
    collection: LIKE,
    record: { $type: LIKE, subject: { uri: `at://Alice.test/${POST}/1`, cid }, createdAt },
  },
]

interface Written {
  /** URIs of all that is poison, with the reason. */
  refused: Map<string, string>
  /** URIs of all else. */
  kept: string[]
}

/** Writes every class twice, as a new record and in place of a good one, with neighbours in the same commits. */
async function write(network: SimulatedNetwork): Promise<Written> {
  const refused = new Map<string, string>()
  const kept: string[] = []
  const account = network.account(0)
  const good = async (text: string): Promise<string> => {
    const { uri } = await account.create(POST, post({ text }))
    kept.push(uri)
    return uri
  }
  for (const [i, { name, collection = POST, record, reason }] of poison.entries()) {
    await good(`before ${name}`)
    const [, fresh, neighbour] = await account.applyWrites([
      { action: 'create', collection: POST, rkey: `n${i}a`, record: post({ text: `left of ${name}` }) },
      { action: 'create', collection, rkey: `p${i}`, record },
      { action: 'create', collection: POST, rkey: `n${i}b`, record: post({ text: `right of ${name}` }) },
    ])
    kept.push(neighbour!.uri.replace(/b$/, 'a'), neighbour!.uri)
    refused.set(fresh!.uri, reason)
    const before =
      collection === THING
        ? { $type: THING }
        : collection === FOLLOW
          ? follow(i)
          : collection === LIKE
            ? like(i)
            : post()
    const { uri } = await account.create(collection, before)
    await account.update(uri, record)
    refused.set(uri, reason)
  }
  for (const { collection = POST, record } of odd) kept.push((await account.create(collection, record)).uri)
  for (let commit = 0; commit < 4; commit++) {
    const writes = Array.from({ length: 100 }, (_, i) => ({
      action: 'create' as const,
      collection: POST,
      rkey: `load${commit}-${i}`,
      record: post({ text: `load ${commit} ${i}` }),
    }))
    kept.push(...(await network.account(1).applyWrites(writes)).map(({ uri }) => uri))
  }
  return { refused, kept }
}

const follow = (i: number) => ({ $type: FOLLOW, subject: `did:plc:subject${i}`, createdAt })
const like = (i: number) => ({ $type: LIKE, subject: { uri: `at://did:plc:abc/${POST}/${i}`, cid }, createdAt })

/** One pipeline into a schema of its own, whose loops are run as they are needed. */
class Side implements AsyncDisposable {
  readonly database: Database
  readonly #indexing: Database
  readonly #store: StreamStore
  readonly #network: SimulatedNetwork
  /** JSON of records as they were when they had been verified, before any stream, by URI. */
  readonly converted = new Map<string, string>()

  private constructor(database: Database, indexing: Database, store: StreamStore, network: SimulatedNetwork) {
    this.database = database
    this.#indexing = indexing
    this.#store = store
    this.#network = network
  }

  static async open(url: string, schema: string, store: StreamStore, network: SimulatedNetwork): Promise<Side> {
    const database = await openMigratedDatabase({ url, schema })
    const poolSize = indexingPoolSize(upIndexerSettings)
    return new Side(database, await openMigratedDatabase({ url, schema, pipeline: true, poolSize }), store, network)
  }

  /** Reads the firehose from its first frame to its head. */
  async live(): Promise<void> {
    const writer = this.#store.writer({ stream: streams.firehoseLive, codec: streamEventCodec })
    const sink: EventSink<StreamEvent> = {
      stream: writer.stream,
      append: (events, options) => {
        for (const event of events)
          if ('record' in event) this.converted.set(recordUri(event), JSON.stringify(event.record))
        return writer.append(events, options)
      },
    }
    const ingester = new FirehoseIngester({
      host: this.#network.relayUrl,
      sink,
      cursors: this.#store.cursors,
      ledger: new PostgresLedger({ database: this.database }),
      startCursor: '0',
    })
    await this.#run([ingester], () => expect(ingester.status().lastSeq).toBe(this.#network.head()))
  }

  /** Fetches every repo. */
  async whole(): Promise<void> {
    const events = this.#network.accounts.map(({ did, head }) => ({ did, host: this.#network.relayUrl, rev: head.rev }))
    await this.#store.writer({ stream: streams.repoBackfill, codec: backfillEventCodec }).append(events)
    const loops = backfillerLoops({
      store: this.#store,
      ledger: new PostgresLedger({ database: this.database }),
      consumer: 'one',
      ...this.#resolvers(),
      logger: silentLogger,
      meter: noMeter,
    })
    await this.#run(loops, () => undefined)
  }

  #resolvers() {
    const fetch = createGuardedFetch({ allowPrivateHosts: true })
    const resolver = new DidResolver({ fetch, plcUrl: this.#network.plcUrl, allowPrivateHosts: true })
    return { fetch, resolver }
  }

  async #run(writers: readonly Loop[], holds: () => void): Promise<void> {
    const { fetch, resolver } = this.#resolvers()
    const { streams: indexers } = await indexerLoops({
      settings: upIndexerSettings,
      store: this.#store,
      indexing: this.#indexing,
      background: this.#indexing,
      database: this.database,
      dids: resolver,
      handles: new HandleResolver({ fetch }),
      accounts: new PdsStatus({ resolver, fetch }),
      logger: silentLogger,
      meter: noMeter,
    })
    const stop = new AbortController()
    const running = [...writers, ...indexers].map((loop) => loop.run(stop.signal))
    try {
      await eventually(
        async () => {
          holds()
          const statuses = await this.#store.status(Object.values(streams))
          expect(statuses.map(({ length }) => length)).toEqual([0, 0, 0, 0])
        },
        { timeoutMs: 60_000 },
      )
    } finally {
      stop.abort()
      await Promise.all(running)
    }
  }

  /** All that does not say when or by which road it came. */
  async rows(): Promise<Record<string, object[]>> {
    const read = async (sql: string): Promise<object[]> => (await this.database.pool.query<object>(sql)).rows
    return {
      record: await read('select uri, cid, json from record order by uri'),
      post: await read('select uri, cid, creator, text, tags, "createdAt", "sortAt" from post order by uri'),
      follow: await read('select uri, "subjectDid" from follow order by uri'),
      like: await read('select uri, subject, "createdAt" from "like" order by uri'),
      feed: await read('select uri, "sortAt" from feed_item order by uri'),
      posts: await read('select did, "postsCount", "followsCount" from profile_agg order by did'),
      likes: await read('select uri, "likeCount" from post_agg where "likeCount" <> 0 order by uri'),
      notification: await read('select did, "recordUri", reason from notification order by did, "recordUri"'),
      refused: await read('select distinct uri, reason from millrace_dead_letter order by uri'),
    }
  }

  /** Why accounts have to be fetched again, but for states of their repos that are not known yet. */
  async dirty(): Promise<object[]> {
    return (await this.database.pool.query<object>(`select did, reason from millrace_dirty where reason <> 'sync'`))
      .rows
  }

  async revs(): Promise<object[]> {
    return (await this.database.pool.query<object>('select uri, rev from record order by uri')).rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#indexing[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
  }
}

serviceTest(
  'records of every poisonous kind cost themselves alone, and end alike on every road (F110, J14)',
  { timeout: 120_000 },
  async ({ redisUrl, databaseUrl }) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-poison-'))
    await using network = await startSimulatedNetwork({ accounts: 2, recordsPerAccount: 0, labels: 0 })
    const { refused, kept } = await write(network)
    try {
      await using redis = await openStreams({ kind: 'redis', url: redisUrl, location: redisUrl, why: 'a test' })
      const file = path.join(folder, 'streams.sqlite')
      await using sqlite = await openStreams({ kind: 'sqlite', file, location: file, why: 'a test' })
      await using byEvent = await Side.open(databaseUrl, 'live', redis, network)
      await using byRepo = await Side.open(databaseUrl, 'whole', sqlite, network)

      await byEvent.live()
      await byRepo.whole()
      const [live, whole] = [await byEvent.rows(), await byRepo.rows()]
      expect(live).toEqual(whole)
      // What the PDS has is what is stored, but for the poison.
      const stored = live['record'] as { uri: string; cid: string; json: string }[]
      expect(stored.map(({ uri }) => uri)).toEqual(kept.toSorted())
      expect(live['refused']).toEqual(
        [...refused].map(([uri, reason]) => ({ uri, reason })).sort((a, b) => (a.uri < b.uri ? -1 : 1)),
      )
      expect(await byEvent.dirty()).toEqual([])
      const cids = new Map(network.records().map(({ uri, cid }) => [uri, cid]))
      for (const { uri, cid, json } of stored) {
        expect(json).toBe(byEvent.converted.get(uri))
        expect(cid).toBe(cids.get(uri))
      }

      // And again, on top of what came one by one: nothing changes but the revisions.
      await byEvent.whole()
      expect(await byEvent.rows()).toEqual(live)
      expect(await byEvent.revs()).toEqual(await byRepo.revs())
      // The other way round, all events come late.
      await byRepo.live()
      expect(await byRepo.rows()).toEqual(whole)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
)
