import { hash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { lockKey, PostgresLedger } from '@millrace/database'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import {
  SEQ_BACKFILL,
  labelEventCodec,
  streamEventCodec,
  type Codec,
  type StreamEvent,
  type StreamStore,
} from '@millrace/stream-protocol'
import { BatchReader } from '@millrace/stream-protocol/testing'
import { createLogSpy, eventually, pgTest } from '@millrace/testing'
import { afterAll, describe, expect } from 'vitest'
import {
  alice,
  bob,
  carol,
  examplePlugins,
  follow,
  openExample,
  quote,
  type ExampleIndexing,
} from './example-plugins.testing.ts'
import type { IndexingServiceOptions } from './indexing-service.ts'
import { LabelIndexer } from './label-indexer.ts'
import { defineRecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'
import { StreamIndexer } from './stream-indexer.ts'
import { createEvent, deleteEvent, updateEvent } from './testing/index.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-indexing-'))
afterAll(() => rm(folder, { recursive: true }))

const stream = 'firehose_live'
const reading = { stream, group: 'group', consumer: 'one', codec: streamEventCodec, batchSize: 100, blockMs: 20 }
const rawCodec: Codec<string> = { field: 'event', encode: (text) => text, decode: (text) => text }

/** A stream, a database, and an indexer between them that can be started. */
class Pipeline implements AsyncDisposable {
  readonly store: StreamStore
  readonly indexing: ExampleIndexing
  readonly log = createLogSpy()

  private constructor(store: StreamStore, indexing: ExampleIndexing) {
    this.store = store
    this.indexing = indexing
  }

  static async open(databaseUrl: string, options: Partial<IndexingServiceOptions> = {}): Promise<Pipeline> {
    const store = await openSqliteStreams({ file: path.join(folder, `${crypto.randomUUID()}.db`) })
    return new Pipeline(store, await openExample(databaseUrl, options))
  }

  async append(...events: StreamEvent[]): Promise<void> {
    await this.store.writer({ stream, codec: streamEventCodec }).append(events)
  }

  indexer({ consumer = 'one', indexing = this.indexing } = {}): StreamIndexer {
    return new StreamIndexer({
      source: this.store.consumer({ ...reading, consumer }),
      ledger: new PostgresLedger({ database: indexing.database }),
      indexing: indexing.service,
      logger: this.log,
      doubt: { minMs: 1, maxMs: 2 },
    })
  }

  async length(): Promise<number> {
    const [status] = await this.store.status([stream])
    return status?.length ?? Number.NaN
  }

  /** Runs indexers until the stream is empty, or until something else holds. */
  async run(
    indexers = [this.indexer()],
    holds = async (): Promise<void> => expect(await this.length()).toBe(0),
  ): Promise<void> {
    const stop = new AbortController()
    const running = Promise.all(indexers.map((indexer) => indexer.run(stop.signal)))
    try {
      await eventually(holds)
    } finally {
      stop.abort()
      await running
    }
  }

  followers(did: string): Promise<string[]> {
    return this.#texts('select creator as text from follow where "subjectDid" = $1 order by 1', did)
  }

  deadLetters(): Promise<{ reason: string; did: string | null; payload: string }[]> {
    return this.indexing.query('select reason, did, payload from millrace_dead_letter order by id')
  }

  dirty(): Promise<string[]> {
    return this.#texts(`select did || ' ' || reason as text from millrace_dirty order by 1`)
  }

  async #texts(sql: string, ...values: unknown[]): Promise<string[]> {
    return (await this.indexing.query<{ text: string }>(sql, ...values)).map(({ text }) => text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
    await this.indexing[Symbol.asyncDispose]()
  }
}

describe('what is in the stream is in the rows, and then it leaves the stream (G3)', () => {
  pgTest('from the first entry to the last', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    const many = Array.from({ length: 250 }, (_, i) => createEvent({ did: `did:plc:account${i}`, record: follow(bob) }))
    await pipeline.append(...many)
    const indexer = pipeline.indexer()
    expect(indexer.status()).toEqual({ entries: 0, lastAckAt: null })
    await pipeline.run([indexer])
    expect(await pipeline.followers(bob)).toHaveLength(250)
    expect(indexer.status()).toEqual({ entries: 250, lastAckAt: expect.any(Number) as number })
    expect(await pipeline.deadLetters()).toEqual([])
  })

  pgTest('also what was applied and not acked before a crash, once', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    const events = [createEvent({ did: alice, record: follow(bob) }), createEvent({ did: carol, record: follow(bob) })]
    await pipeline.append(...events)
    const crashed = new AbortController()
    for await (const batch of pipeline.store.consumer(reading).batches(crashed.signal)) {
      await pipeline.indexing.service.index(batch.entries.map(({ event }) => event))
      crashed.abort()
    }
    expect(await pipeline.length()).toBe(2)
    await pipeline.run()
    expect(
      await pipeline.indexing.query(
        'select did, "followersCount" as count from profile_agg where "followersCount" <> 0',
      ),
    ).toEqual([{ did: bob, count: 2 }])
  })

  pgTest('shared by two indexers whose entries are of the same accounts (X24)', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    await using other = await openExample(databaseUrl)
    const events = [alice, bob, carol].flatMap((did) =>
      Array.from({ length: 60 }, (_, i) => {
        const made = createEvent({ did, record: follow(`did:plc:subject${i % 7}`, { i }) })
        return i % 3 === 0 ? [made, deleteEvent(made)] : [made, updateEvent(made, follow('did:plc:subject9', { i }))]
      }).flat(),
    )
    await pipeline.append(...events)
    await pipeline.run([pipeline.indexer(), pipeline.indexer({ consumer: 'two', indexing: other })])
    expect(await pipeline.followers('did:plc:subject9')).toEqual([alice, bob, carol])
    expect(
      await pipeline.indexing.query(
        'select did, "followersCount" as count from profile_agg where "followersCount" <> 0',
      ),
    ).toEqual([{ did: 'did:plc:subject9', count: 3 }])
  })
})

describe('an entry that cannot be indexed costs only itself (X5)', () => {
  const neighbours = Array.from({ length: 99 }, (_, i) =>
    createEvent({ did: `did:plc:account${i}`, record: follow(bob) }),
  )
  const incompressible = (length: number): string =>
    Array.from({ length: Math.ceil(length / 43) }, (_, i) => hash('sha256', `${length} ${i}`, 'base64url'))
      .join('')
      .slice(0, length)

  pgTest(
    'when the database refuses it: it is a dead letter, and no record, which fetching it again would not change (X9)',
    async ({ databaseUrl }) => {
      await using pipeline = await Pipeline.open(databaseUrl)
      await pipeline.indexing.query(`alter table follow add check ("subjectDid" <> 'did:plc:refused')`)
      const poison = createEvent({ did: alice, record: follow('did:plc:refused') })
      await pipeline.append(...neighbours.slice(0, 61), poison, ...neighbours.slice(61))
      await pipeline.run()
      expect(await pipeline.followers(bob)).toHaveLength(99)
      expect(await pipeline.deadLetters()).toEqual([
        { reason: 'refused-by-database', did: alice, payload: JSON.stringify(poison) },
      ])
      expect(await pipeline.dirty()).toEqual([])
      expect(await pipeline.followers('did:plc:refused')).toEqual([])
      expect(await pipeline.indexing.query('select rev from millrace_tombstone')).toEqual([{ rev: poison.rev }])
    },
  )

  pgTest('when its texts do not fit an index together: it is no record (X21)', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    const did = `did:plc:${incompressible(500)}`
    const poison = createEvent({
      did,
      rkey: incompressible(510),
      record: quote(`at://${bob}/${incompressible(1_950)}`),
    })
    await pipeline.append(...neighbours.slice(0, 61), poison, ...neighbours.slice(61))
    await pipeline.run()
    expect(await pipeline.followers(bob)).toHaveLength(99)
    expect(await pipeline.deadLetters()).toEqual([{ reason: 'invalid-record', did, payload: JSON.stringify(poison) }])
    expect(await pipeline.indexing.query('select uri from starter_pack')).toEqual([])
  })

  pgTest('when we fail at it: tried again, and only then given up (G9)', async ({ databaseUrl }) => {
    let tries = 0
    const fragile = defineRecordPlugin({
      collection: untypedRecord('test.millrace.fragile'),
      table: 'labeler',
      toRow: () => {
        tries++
        throw new TypeError('a mistake of ours')
      },
    })
    await using pipeline = await Pipeline.open(databaseUrl, { plugins: [...examplePlugins, fragile] })
    const poison = createEvent({ did: alice, record: { $type: 'test.millrace.fragile' } })
    await pipeline.append(...neighbours.slice(0, 20), poison, ...neighbours.slice(20))
    await pipeline.run()
    expect(await pipeline.followers(bob)).toHaveLength(99)
    expect(await pipeline.deadLetters()).toMatchObject([{ reason: 'failed', did: alice }])
    expect(await pipeline.dirty()).toEqual([`${alice} failed`])
    expect(tries).toBeGreaterThan(6)
  })

  pgTest(
    'when it is no record of its collection: kept as a dead letter, with the rest of its batch (X9)',
    async ({ databaseUrl }) => {
      await using pipeline = await Pipeline.open(databaseUrl)
      const bad = createEvent({ did: alice, record: follow(1 as unknown as string) })
      await pipeline.append(...neighbours, bad)
      await pipeline.run()
      expect(await pipeline.followers(bob)).toHaveLength(99)
      expect(await pipeline.deadLetters()).toMatchObject([{ reason: 'invalid-record', did: alice }])
      expect(await pipeline.dirty()).toEqual([])
    },
  )

  pgTest('when it is no event at all: kept raw, its account marked or a gap noted (S20)', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    const ofAlice = JSON.stringify({ type: 'create', did: alice, time: 'x', rev: 'not a revision' })
    await pipeline.store.writer({ stream, codec: rawCodec }).append(['{', ofAlice])
    await pipeline.append(...neighbours)
    await pipeline.run()
    expect(await pipeline.followers(bob)).toHaveLength(99)
    expect((await pipeline.deadLetters()).map(({ did, payload }) => [did, payload])).toEqual([
      [null, '{'],
      [alice, ofAlice],
    ])
    expect(await pipeline.dirty()).toEqual([`${alice} undecodable-entry`])
    expect(await pipeline.indexing.query('select stream, reason from millrace_gap')).toEqual([
      { stream, reason: 'undecodable-entry' },
    ])
  })

  pgTest('when it left the stream before its ack: a gap is noted, and it is acked (S10)', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    await pipeline.append(...neighbours, createEvent({ did: alice, record: follow(bob) }))
    await using dead = new BatchReader(pipeline.store.consumer(reading))
    await dead.take(1)
    await dead.stop()
    using file = new DatabaseSync(pipeline.store.location)
    file.exec('delete from entry where seq = (select min(seq) from entry)')
    const pending = async () => (await pipeline.store.status([stream]))[0]?.groups[0]?.pending
    await pipeline.run([pipeline.indexer()], async () => expect(await pending()).toBe(0))
    expect(await pipeline.followers(bob)).toHaveLength(99)
    expect(await pipeline.deadLetters()).toEqual([])
    expect(await pipeline.indexing.query('select host, stream, reason from millrace_gap')).toEqual([
      { host: '', stream, reason: 'lost-entries' },
    ])
  })

  pgTest(
    'when it forges what is there: the account is marked, and what was first stays (G6)',
    async ({ databaseUrl }) => {
      await using pipeline = await Pipeline.open(databaseUrl)
      const event = createEvent({ did: alice, record: follow(bob) })
      await pipeline.append(event, {
        ...createEvent({ did: alice, record: follow(carol) }),
        rev: event.rev,
        rkey: event.rkey,
      })
      await pipeline.run()
      expect(await pipeline.followers(bob)).toEqual([alice])
      expect(await pipeline.dirty()).toEqual([`${alice} equivocation`])
    },
  )
})

describe('an outage loses nothing and gives nothing up (G9, G10)', () => {
  const event = createEvent({ did: alice, record: follow(bob) })

  pgTest('a connection that is cut in the middle of a transaction', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    await pipeline.append(event)
    const client = await pipeline.indexing.database.pool.connect()
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [lockKey('repo', alice)])
    let cuts = 0
    await pipeline.run([pipeline.indexer()], async () => {
      if (cuts < 3) {
        // It waits for us, in its transaction; those of other tests wait in their databases.
        const { rowCount } = await client.query(
          `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted
             and database = (select oid from pg_database where datname = current_database())`,
        )
        cuts += rowCount ?? 0
        if (cuts >= 3) await client.query('commit')
      }
      expect(await pipeline.length()).toBe(0)
    })
    client.release()
    expect(cuts).toBe(3)
    expect(await pipeline.followers(bob)).toEqual([alice])
    expect(await pipeline.deadLetters()).toEqual([])
    expect(pipeline.log.messages('warn')).toContain('cannot apply a batch; trying again')
  })

  pgTest('a table that is missing, as after a wrong deploy', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    await pipeline.append(event)
    await pipeline.indexing.query('alter table follow rename to away')
    await pipeline.run([pipeline.indexer()], async () => {
      if (pipeline.log.messages('error').length === 2)
        await pipeline.indexing.query('alter table if exists away rename to follow')
      expect(await pipeline.length()).toBe(0)
    })
    expect(pipeline.log.messages('error').length).toBeGreaterThanOrEqual(2)
    expect(await pipeline.followers(bob)).toEqual([alice])
    expect(await pipeline.deadLetters()).toEqual([])
  })

  pgTest('a stop in the middle of one leaves the entries in the stream', async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    await pipeline.append(event)
    await pipeline.indexing.query('alter table follow rename to away')
    await pipeline.run([pipeline.indexer()], async () =>
      expect(pipeline.log.messages('error').length).toBeGreaterThan(0),
    )
    expect(await pipeline.length()).toBe(1)
    await pipeline.indexing.query('alter table away rename to follow')
    await pipeline.run()
    expect(await pipeline.followers(bob)).toEqual([alice])
  })
})

pgTest('labels go the same way', async ({ databaseUrl }) => {
  await using pipeline = await Pipeline.open(databaseUrl)
  const codec = labelEventCodec
  const label = (uri: string, neg = false) =>
    ({ type: 'label', label: { src: alice, uri, val: 'spam', neg, cts: '2026-01-15T12:00:00Z' } }) as const
  await pipeline.store
    .writer({ stream: 'label_live', codec })
    .append([
      label('did:plc:a'),
      label('did:plc:b'),
      label('did:plc:b', true),
      label(`at://did:plc:c/${'x'.repeat(3_000)}`),
    ])
  const indexer = new LabelIndexer({
    source: pipeline.store.consumer({ ...reading, stream: 'label_live', codec }),
    ledger: new PostgresLedger({ database: pipeline.indexing.database }),
    indexing: pipeline.indexing.service,
  })
  const stop = new AbortController()
  const running = indexer.run(stop.signal)
  try {
    await eventually(() => expect(indexer.status().entries).toBe(4))
  } finally {
    stop.abort()
    await running
  }
  expect(await pipeline.indexing.query('select uri, neg from label order by uri')).toEqual([
    { uri: 'did:plc:a', neg: false },
    { uri: 'did:plc:b', neg: true },
  ])
  expect(await pipeline.deadLetters()).toMatchObject([{ reason: 'too-long', did: null }])
})

pgTest(
  'live events tell how far they are ahead of our clock, those of whole repos do not (J13)',
  async ({ databaseUrl }) => {
    await using pipeline = await Pipeline.open(databaseUrl)
    const at = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString()
    const made = (time: string, seq: number): StreamEvent => createEvent({ did: alice, record: follow(bob), time, seq })
    const indexer = pipeline.indexer()
    await pipeline.append(made(at(-60), SEQ_BACKFILL))
    await pipeline.run([indexer])
    expect(indexer.leadMs()).toBeUndefined()
    for (const [seq, minutes] of [20, 10, 30].entries()) {
      await pipeline.append(made(at(minutes), seq))
      await pipeline.run([indexer])
    }
    expect(Math.round(indexer.leadMs()! / 60_000)).toBe(10)
    expect(indexer.leadMs()).toBeUndefined()
  },
)
