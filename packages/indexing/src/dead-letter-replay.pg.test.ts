import { DeadLetterQueue, DeadLetters, PostgresLedger } from '@millrace/database'
import { recordUri, streamEventCodec, type Batch, type BatchSource, type StreamEvent } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import {
  alice,
  bob,
  carol,
  examplePlugins,
  follow,
  openExample,
  type ExampleIndexing,
} from './example-plugins.testing.ts'
import { IndexingService } from './indexing-service.ts'
import { defineRecordPlugin } from './plugin.ts'
import { InvalidRecordError, untypedRecord } from './record-type.ts'
import { StreamIndexer } from './stream-indexer.ts'
import { createEvent, deleteEvent, EVENT_TIME, runEvents, updateEvent } from './testing/index.ts'

const stream = 'firehose_live'
const doubt = { minMs: 0.01, maxMs: 0.01 }

/** One batch, then nothing. */
class Once implements BatchSource<StreamEvent> {
  readonly stream = stream
  readonly group = 'group'
  readonly #events: readonly StreamEvent[]

  constructor(...events: StreamEvent[]) {
    this.#events = events
  }

  async *batches(): AsyncGenerator<Batch<StreamEvent>> {
    const entries = this.#events.map((event, index) => ({ id: `${index}-0`, event }))
    yield { stream, entries, rejected: [], ack: async () => undefined }
  }
}

/** Events that an indexer has taken from their stream. */
async function indexed({ database, service }: ExampleIndexing, ...events: StreamEvent[]): Promise<void> {
  const source = new Once(...events)
  const ledger = new PostgresLedger({ database })
  await new StreamIndexer({ source, ledger, indexing: service, doubt }).run(new AbortController().signal)
}

const letters = ({ query }: ExampleIndexing) =>
  query('select state, reason, attempts, did from millrace_dead_letter order by id')

/** Puts letters back, and runs the indexer of replays until none waits. */
async function replayed(indexing: ExampleIndexing, service = indexing.service, puts = true): Promise<void> {
  const { database, query } = indexing
  if (puts) await new DeadLetters(database).retry({ filter: { states: ['kept'] }, refuses: () => undefined })
  const ledger = new PostgresLedger({ database })
  const source = new DeadLetterQueue({ database, stream, codec: streamEventCodec, ledger, idleMs: 5 })
  const indexer = new StreamIndexer({ source, ledger: source.ledger, indexing: service, doubt, replays: true })
  const stop = new AbortController()
  const running = indexer.run(stop.signal)
  try {
    await eventually(async () => {
      expect(await query(`select from millrace_dead_letter where state = 'retry'`)).toEqual([])
      expect(indexer.status().entries).toBeGreaterThan(0)
    })
  } finally {
    stop.abort()
    await running
  }
}

const followers = ({ query }: ExampleIndexing, did: string) =>
  query('select creator from follow where "subjectDid" = $1', did)

describe('a dead letter that is retried ends as a row (G9, G10)', () => {
  pgTest('when the database had refused it', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.query(`alter table follow add constraint narrow check ("subjectDid" <> '${bob}')`)
    await indexed(indexing, createEvent({ did: alice, record: follow(bob) }))
    expect(await letters(indexing)).toMatchObject([{ state: 'kept', reason: 'refused-by-database' }])
    await indexing.query('alter table follow drop constraint narrow')
    await replayed(indexing)
    expect(await followers(indexing, bob)).toEqual([{ creator: alice }])
    expect(await indexing.query('select uri from millrace_tombstone')).toEqual([])
    expect(await letters(indexing)).toMatchObject([{ state: 'replayed', attempts: 1 }])
  })

  for (const how of ['live', 'from a whole repo'] as const)
    pgTest(`when the plugin that takes it was missing, and it came ${how}`, async ({ databaseUrl }) => {
      const strict = defineRecordPlugin({
        collection: {
          collection: 'test.millrace.other',
          parse: () => {
            throw new InvalidRecordError('no plugin of this release knows it')
          },
        },
      })
      await using indexing = await openExample(databaseUrl, { plugins: [...examplePlugins, strict] })
      const made = createEvent({ did: alice, record: { $type: 'test.millrace.other', is: 'here' } })
      await indexed(indexing, ...(how === 'live' ? [made] : runEvents({ did: alice, records: [made] })))
      expect(await letters(indexing)).toMatchObject([{ state: 'kept', reason: 'invalid-record' }])

      const { database } = indexing
      const lenient = defineRecordPlugin({
        collection: untypedRecord('test.millrace.other'),
        table: 'labeler',
        toRow: ({ uri, cid, did, indexedAt }) => ({ uri, cid, creator: did, createdAt: indexedAt, indexedAt }),
      })
      const service = await IndexingService.open({
        database,
        plugins: [...examplePlugins, lenient],
        now: () => Date.parse(EVENT_TIME) + 1_000,
      })
      await replayed(indexing, service)
      expect(await indexing.query('select creator from labeler')).toEqual([{ creator: alice }])
      expect(await letters(indexing)).toMatchObject([{ state: 'replayed' }])
    })

  pgTest('when it was no record, and was edited', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const bad = createEvent({ did: alice, record: { $type: 'test.millrace.follow', subject: 5 } })
    await indexed(indexing, bad)
    const edited = { ...bad, record: follow(bob) }
    await new DeadLetters(indexing.database).edit(1, streamEventCodec.encode(edited), { did: alice })
    await replayed(indexing, indexing.service, false)
    expect(await followers(indexing, bob)).toEqual([{ creator: alice }])
    expect(await letters(indexing)).toMatchObject([{ state: 'replayed' }])
  })
})

pgTest('poison is kept again, tried once more, and does not go round (G10)', async ({ databaseUrl }) => {
  await using indexing = await openExample(databaseUrl)
  await indexed(indexing, createEvent({ did: alice, record: { $type: 'test.millrace.follow', subject: 5 } }))
  const good = createEvent({ did: carol, record: follow(bob) })
  const payload = streamEventCodec.encode(good)
  const other = { stream, reason: 'failed', error: '' }
  await new PostgresLedger({ database: indexing.database }).deadLetter([
    { ...other, entryId: '8-0', payload: 'no event' },
    { ...other, entryId: '9-0', payload },
  ])
  await replayed(indexing)
  expect(await letters(indexing)).toMatchObject([
    { state: 'kept', reason: 'invalid-record', attempts: 2, did: alice },
    { state: 'kept', reason: 'bad-json', attempts: 2 },
    { state: 'replayed', attempts: 1 },
  ])
  expect(await followers(indexing, bob)).toEqual([{ creator: carol }])
  // A second look, by which time one that goes round would have gone on.
  await replayed(indexing)
  expect((await letters(indexing)).map(({ attempts }) => attempts)).toEqual([3, 3, 1])
})

pgTest('what came after it is not overruled by a replay (G6)', async ({ databaseUrl }) => {
  await using indexing = await openExample(databaseUrl)
  const bad = createEvent({ did: alice, record: { $type: 'test.millrace.follow', subject: 5 } })
  const edited = streamEventCodec.encode({ ...bad, record: follow(carol) })
  await indexed(indexing, bad)
  await indexing.service.index([updateEvent(bad, follow(bob))])
  const letterBox = new DeadLetters(indexing.database)
  await letterBox.edit(1, edited, { did: alice, uri: recordUri(bad) })
  await replayed(indexing, indexing.service, false)
  expect(await followers(indexing, bob)).toEqual([{ creator: alice }])
  expect(await followers(indexing, carol)).toEqual([])

  await indexing.service.index([deleteEvent(bad)])
  expect(await letters(indexing)).toMatchObject([{ state: 'purged' }])
  expect(await letterBox.edit(1, edited, {})).toBe(false)
})

for (const state of ['retry', 'replayed', 'discarded'])
  pgTest(`nothing stays of a deleted record in a letter that is ${state} (X25)`, async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const bad = createEvent({ did: alice, record: { $type: 'test.millrace.follow', subject: 5 } })
    await indexed(indexing, bad)
    await indexing.query('update millrace_dead_letter set state = $1', state)
    await indexing.service.index([deleteEvent(bad)])
    expect(await indexing.query('select state, payload from millrace_dead_letter')).toEqual([
      { state: 'purged', payload: '' },
    ])
  })
