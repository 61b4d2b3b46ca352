import type { DeadLetter } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { PostgresLedger } from './ledger.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'

const letter: DeadLetter = {
  stream: 'firehose_live',
  entryId: '1-0',
  reason: 'bad-json',
  error: 'entry is not JSON',
  did: 'did:plc:alice',
  payload: '{',
}

async function migrated(url: string): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  return database
}

pgTest('a dead letter is kept with all that is known of it', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  await new PostgresLedger({ database }).deadLetter([{ ...letter, uri: 'at://a/b/c', host: 'relay.test' }])

  expect(await letters(database)).toEqual([
    {
      id: 1,
      stream: 'firehose_live',
      entry_id: '1-0',
      reason: 'bad-json',
      error: 'entry is not JSON',
      did: 'did:plc:alice',
      uri: 'at://a/b/c',
      host: 'relay.test',
      payload: '{',
      attempts: 1,
      first_at: expect.any(Date) as Date,
      last_at: expect.any(Date) as Date,
      state: 'kept',
      retries: 0,
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
    },
  ])
})

pgTest('an entry that comes again is the same dead letter, tried once more (G1)', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  const ledger = new PostgresLedger({ database })
  await ledger.deadLetter([letter])
  await ledger.deadLetter([{ ...letter, reason: 'bad-did' }])

  const [found, ...others] = await letters(database)
  expect(others).toEqual([])
  expect(found).toMatchObject({ attempts: 2, reason: 'bad-did', state: 'kept' })
  expect(found?.last_at.getTime()).toBeGreaterThanOrEqual(found?.first_at.getTime() ?? Infinity)
})

pgTest('an entry that fails again after it was settled is to be decided about again', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  const ledger = new PostgresLedger({ database })
  await ledger.deadLetter([letter])
  await database.db.updateTable('millrace_dead_letter').set({ state: 'discarded' }).execute()
  await ledger.deadLetter([letter])
  expect(await letters(database)).toMatchObject([{ state: 'kept', attempts: 2 }])
})

pgTest('an entry may lose several records, and a batch may name one twice (X1)', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  await new PostgresLedger({ database }).deadLetter([
    { ...letter, uri: 'at://a/b/2' },
    letter,
    { ...letter, uri: 'at://a/b/1' },
    { ...letter, uri: 'at://a/b/2', error: 'the last of two' },
    { ...letter, stream: 'firehose_backfill' },
  ])
  expect((await letters(database)).map(({ stream, uri, error }) => [stream, uri, error])).toEqual([
    ['firehose_backfill', null, letter.error],
    ['firehose_live', null, letter.error],
    ['firehose_live', 'at://a/b/1', letter.error],
    ['firehose_live', 'at://a/b/2', 'the last of two'],
  ])
})

pgTest('what Postgres could not store or index is made so that it can (J5, X21)', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  await new PostgresLedger({ database }).deadLetter([
    {
      ...letter,
      error: 'nul \u0000 and half a pair \uD83E',
      uri: `at://${'é'.repeat(8_192)}`,
      payload: `x${'🦋'.repeat(20_000)}`,
    },
  ])
  const [found] = await letters(database)
  expect(found?.error).toBe('nul \uFFFD and half a pair \uFFFD')
  expect(Buffer.byteLength(found?.uri ?? '')).toBeLessThanOrEqual(2_000)
  // 65,536 bytes would cut the last butterfly in two.
  expect(found?.payload).toBe(`x${'🦋'.repeat(16_383)}`)
})

pgTest(
  'an account may be marked for later, after all others, and stays so until it is wanted sooner',
  async ({ databaseUrl }) => {
    await using database = await migrated(databaseUrl)
    const ledger = new PostgresLedger({ database })
    await ledger.markDirty([{ did: 'did:plc:alice', reason: 'busy-host', priority: 3, waitMs: 600_000 }])
    const mark = async () => {
      const { rows } = await database.pool.query<{ priority: number; wait: number }>(
        'select priority, extract(epoch from next_at - now())::float8 as wait from millrace_dirty',
      )
      return rows[0]!
    }
    const { priority, wait } = await mark()
    expect(priority).toBe(3)
    expect(wait).toBeGreaterThan(290)
    expect(wait).toBeLessThan(901)
    await ledger.markDirty([{ did: 'did:plc:alice', reason: 'sync' }])
    expect((await mark()).priority).toBe(1)
  },
)

pgTest(
  'an account that is marked again keeps its place, its attempts and its newest revision (G4)',
  async ({ databaseUrl }) => {
    await using database = await migrated(databaseUrl)
    const ledger = new PostgresLedger({ database })
    await ledger.markDirty([{ did: 'did:plc:alice', reason: 'gap', host: 'pds.test', rev: '3kb' }])
    await database.db.updateTable('millrace_dirty').set({ attempts: 4 }).execute()
    const before = await database.db.selectFrom('millrace_dirty').selectAll().executeTakeFirstOrThrow()
    await ledger.markDirty([
      { did: 'did:plc:bob', reason: 'gap', rev: '3kd' },
      { did: 'did:plc:alice', reason: 'bad-proof', rev: '3ka' },
      { did: 'did:plc:bob', reason: 'older', rev: '3kc' },
    ])

    const rows = await database.db.selectFrom('millrace_dirty').selectAll().orderBy('did').execute()
    expect(rows).toMatchObject([
      {
        ...before,
        reason: 'bad-proof',
        host: 'pds.test',
        rev: '3kb',
        attempts: 4,
        updated_at: expect.any(Date) as Date,
      },
      { did: 'did:plc:bob', reason: 'gap', host: null, rev: '3kd', attempts: 0 },
    ])
    expect(rows[0]?.updated_at).not.toEqual(before.updated_at)
  },
)

pgTest('a gap that is open is made wider, and a closed one is left (I7)', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  const ledger = new PostgresLedger({ database })
  const gap = { host: 'relay.test', stream: 'firehose_live', reason: 'outdated-cursor' }
  const gaps = () => database.db.selectFrom('millrace_gap').select(['from_seq', 'to_seq']).orderBy('id').execute()

  await ledger.recordGap({ ...gap, fromSeq: '100' })
  await ledger.recordGap({ ...gap, fromSeq: '99', toSeq: '900' })
  await ledger.recordGap({ ...gap, fromSeq: '300', toSeq: '1000' })
  expect(await gaps()).toEqual([{ from_seq: '99', to_seq: '1000' }])

  await database.db.updateTable('millrace_gap').set({ closed_at: new Date() }).execute()
  await ledger.recordGap({ ...gap, fromSeq: '2000' })
  await ledger.recordGap({ ...gap, reason: 'sequence-reset' })
  await ledger.recordGap({ ...gap, reason: 'listing', fromSeq: 'opaque-a', toSeq: 'opaque-b' })
  await ledger.recordGap({ ...gap, reason: 'listing', fromSeq: 'opaque-c', toSeq: 'opaque-d' })
  expect(await gaps()).toEqual([
    { from_seq: '99', to_seq: '1000' },
    { from_seq: '2000', to_seq: null },
    { from_seq: null, to_seq: null },
    { from_seq: 'opaque-a', to_seq: 'opaque-d' },
  ])
})

pgTest('the summary counts what is open', async ({ databaseUrl }) => {
  await using database = await migrated(databaseUrl)
  const ledger = new PostgresLedger({ database })
  expect(await ledger.summary()).toEqual({ deadLetters: {}, dirty: { count: 0, oldest: null }, gaps: [] })

  await ledger.deadLetter([letter, { ...letter, entryId: '2-0' }, { ...letter, entryId: '3-0', reason: 'bad-did' }])
  await ledger.deadLetter([{ ...letter, entryId: '4-0', reason: 'settled' }])
  await database.db
    .updateTable('millrace_dead_letter')
    .set({ state: 'replayed' })
    .where('reason', '=', 'settled')
    .execute()
  await ledger.markDirty([{ did: 'did:plc:alice', reason: 'gap' }])
  await ledger.markDirty([{ did: 'did:plc:bob', reason: 'gap' }])
  await ledger.recordGap({ host: 'relay.test', stream: 'firehose_live', reason: 'outdated-cursor', fromSeq: '7' })

  const first = await database.db
    .selectFrom('millrace_dirty')
    .select('since')
    .where('did', '=', 'did:plc:alice')
    .executeTakeFirstOrThrow()
  expect(await ledger.summary()).toEqual({
    deadLetters: { 'bad-did': 1, 'bad-json': 2 },
    dirty: { count: 2, oldest: first.since },
    gaps: [
      {
        host: 'relay.test',
        stream: 'firehose_live',
        reason: 'outdated-cursor',
        fromSeq: '7',
        toSeq: undefined,
        openedAt: expect.any(Date) as Date,
      },
    ],
  })
})

pgTest('nothing to keep is no statement', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl })
  const ledger = new PostgresLedger({ database })
  // The tables do not exist: a statement would fail.
  await ledger.deadLetter([])
  await ledger.markDirty([])
})

async function letters(database: Database) {
  return await database.db
    .selectFrom('millrace_dead_letter')
    .selectAll()
    .orderBy('stream')
    .orderBy('uri', (o) => o.nullsFirst())
    .execute()
}
