import { InvalidEventError, type Batch, type Codec, type DeadLetter } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { DeadLetterQueue } from './dead-letter-queue.ts'
import { DeadLetters, type DeadLetterFilter } from './dead-letters.ts'
import { PostgresLedger } from './ledger.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'

const letter = { stream: 'firehose_live', reason: 'invalid-record', error: 'text is too long', payload: 'good' }

/** A text that is not `bad`. */
const codec: Codec<string> = {
  field: 'event',
  encode: (text) => text,
  decode(text) {
    if (text === 'bad') throw new InvalidEventError('bad-text', 'it is bad')
    return text
  },
}

async function openWith(url: string, ...kept: Partial<DeadLetter>[]): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  const letters = kept.map((each, index): DeadLetter => ({ ...letter, entryId: `${1000 + index}-0`, ...each }))
  await new PostgresLedger({ database }).deadLetter(letters)
  return database
}

function queueOf(database: Database, stream = 'firehose_live'): DeadLetterQueue<string> {
  return new DeadLetterQueue({ database, stream, codec, ledger: new PostgresLedger({ database }), idleMs: 10 })
}

const states = async ({ pool }: Database) =>
  (await pool.query('select id, state, reason, attempts from millrace_dead_letter order by id')).rows

const putBack = (database: Database, filter: DeadLetterFilter = {}) =>
  new DeadLetters(database).retry({ filter, refuses: () => undefined })

/** Batches of one run, one by one. */
class Run {
  readonly #stop = new AbortController()
  readonly #batches: AsyncGenerator<Batch<string>>

  constructor(queue: DeadLetterQueue<string>) {
    this.#batches = queue.batches(this.#stop.signal)
  }

  async next(): Promise<Batch<string>> {
    const { value } = (await this.#batches.next()) as { value: Batch<string> }
    return value
  }

  /** True when nothing was to be read between this call and the end of the run. */
  async isEmpty(): Promise<boolean> {
    const next = this.#batches.next()
    this.#stop.abort()
    return (await next).done === true
  }
}

pgTest('a letter that is put back is read once, and replayed when it is acked (G10)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {}, { payload: 'other' }, { stream: 'label_live' })
  const run = new Run(queueOf(database))
  await putBack(database, { ids: [1, 3] })
  const batch = await run.next()
  expect(batch).toMatchObject({ entries: [{ event: 'good' }], rejected: [] })
  await batch.ack()
  expect(await run.isEmpty()).toBe(true)
  expect(await states(database)).toMatchObject([{ state: 'replayed' }, { state: 'kept' }, { state: 'retry' }])
})

pgTest('what is at work is not given out twice, and comes again after a crash (G3)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {})
  await putBack(database)
  const run = new Run(queueOf(database))
  expect((await run.next()).entries).toHaveLength(1)
  expect(await run.isEmpty()).toBe(true)
  expect((await new Run(queueOf(database)).next()).entries).toHaveLength(1)
})

pgTest('one that fails again is the same letter, tried once more, and is left alone (G10)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, { uri: 'at://a/b/c' }, { payload: 'bad' })
  await putBack(database)
  const queue = queueOf(database)
  const run = new Run(queue)
  const { entries, rejected, ack } = await run.next()
  const failed = [entries[0]!.id, rejected[0]!.id].map((entryId) => ({
    ...letter,
    entryId,
    reason: 'failed',
    error: 'a mistake',
  }))
  await queue.ledger.deadLetter(failed)
  await queue.ledger.deadLetter(failed)
  await queue.ledger.recordGap({ host: '', stream: queue.stream, reason: 'undecodable-entry' })
  await ack()
  expect(await run.isEmpty()).toBe(true)
  expect(await states(database)).toEqual([
    { id: 1, state: 'kept', reason: 'failed', attempts: 2 },
    { id: 2, state: 'kept', reason: 'failed', attempts: 2 },
  ])
  expect((await database.pool.query('select from millrace_gap')).rowCount).toBe(0)
})

pgTest('what was edited or purged meanwhile is not settled by what it was before', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {}, {})
  await putBack(database)
  const queue = queueOf(database)
  const run = new Run(queue)
  const batch = await run.next()
  const subject = { did: 'did:plc:a', uri: 'at://did:plc:a/b/c' }
  expect(await new DeadLetters(database).edit(1, 'edited', subject)).toBe(true)
  await database.pool.query(`update millrace_dead_letter set state = 'purged', payload = '' where id = 2`)
  expect(await new DeadLetters(database).edit(2, 'edited', {})).toBe(false)
  await queue.ledger.deadLetter(batch.entries.map(({ id }) => ({ ...letter, entryId: id, error: 'its content' })))
  await batch.ack()
  expect(await states(database)).toMatchObject([
    { state: 'retry', attempts: 1 },
    { state: 'purged', attempts: 1 },
  ])
  expect(await run.next()).toMatchObject({ entries: [{ event: 'edited' }] })
  expect(await new DeadLetters(database).find(1)).toMatchObject({ ...subject, error: letter.error })
})

pgTest('a database that is away is waited for', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {})
  await putBack(database)
  await database.pool.query('alter table millrace_dead_letter rename to elsewhere')
  const next = new Run(queueOf(database)).next()
  await database.pool.query('alter table elsewhere rename to millrace_dead_letter')
  await eventually(async () => expect((await next).entries).toHaveLength(1))
})

pgTest('letters are alike whatever their numbers, hashes, accounts and hosts are', async ({ databaseUrl }) => {
  const cid = (character: string) => `bafyrei${character.repeat(51)}2`
  await using database = await openWith(
    databaseUrl,
    { error: `block ${cid('a')} of did:plc:abc has 12 bytes at pds.one.test, said @me.test`, host: 'pds.one.test' },
    { error: `block ${cid('b')} of did:web:x.y has 9000 bytes at two.test, said @you.test`, host: 'two.test' },
    { error: `at://did:plc:a/app.bsky.feed.post/3k2 has "a text" in "langs"` },
    { error: `at://did:web:b/app.bsky.feed.like/3k4 has "no text, other" in "langs"` },
    { error: `at://did:web:b/app.bsky.feed.like/3k4 has "no text, other" in "tags"` },
    { error: `at://did:web:b/app.bsky.feed.like/3k4 has "no text, other" in "tags"`, reason: 'bad-json' },
  )
  const groups = await new DeadLetters(database).groups({})
  expect(groups.map(({ count, reason, example }) => [count, reason, example.id])).toEqual([
    [2, 'invalid-record', 2],
    [2, 'invalid-record', 4],
    [1, 'invalid-record', 5],
    [1, 'bad-json', 6],
  ])
})

pgTest('letters of before are still to be decided about, and grouped like newer ones', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, { error: 'more than 5' }, { error: 'more than 7' })
  await database.pool.query(`
    alter table millrace_dead_letter drop constraint millrace_dead_letter_state_check, drop column retries, drop column fingerprint;
    update millrace_dead_letter set state = 'open' where id = 1;
    create index millrace_dead_letter_state_reason_idx on millrace_dead_letter (state, reason);
    drop index if exists millrace_dead_letter_state_kind_idx, millrace_dead_letter_retry_idx;
    delete from millrace_migration where name = '0008-dead-letters'`)
  await migrate(database)
  expect(await new DeadLetters(database).groups({ states: ['kept'] })).toMatchObject([{ count: 2 }])
})

pgTest('which are meant is said by any of their traits', async ({ databaseUrl }) => {
  const alice = 'did:plc:alice'
  await using database = await openWith(
    databaseUrl,
    {},
    { did: alice },
    { reason: 'bad-did' },
    { stream: 'label_live' },
  )
  const letters = new DeadLetters(database)
  const ids = async (filter: DeadLetterFilter) => (await letters.list(filter, 3)).map(({ id }) => id)
  const { fingerprint } = (await letters.find(3))!
  expect(await ids({})).toEqual([4, 3, 2])
  expect(await ids({ ids: [1, 9] })).toEqual([1])
  expect(await ids({ ids: [] })).toEqual([])
  expect(await ids({ did: alice })).toEqual([2])
  expect(await ids({ reason: 'invalid-record', stream: 'label_live' })).toEqual([4])
  expect(await ids({ fingerprint })).toEqual([3])
  expect(await letters.count({ states: ['kept'] })).toBe(4)
  expect(await letters.find(9)).toBeUndefined()
})

pgTest('what would fail at once is not put back, nor what is put back already', async ({ databaseUrl }) => {
  await using database = await openWith(
    databaseUrl,
    ...Array.from({ length: 201 }, () => ({})),
    { payload: 'x'.repeat(70_000) },
    { payload: 'é'.repeat(40_000) },
  )
  const options = {
    filter: {},
    refuses: ({ isCut }: { isCut: boolean }) => (isCut ? 'it was cut' : undefined),
  }
  const refused = [202, 203].map((id) => ({ id, why: 'it was cut' }))
  const letters = new DeadLetters(database)
  expect(await letters.retry({ ...options, dryRun: true })).toEqual({ retried: 201, refused })
  expect(await letters.count({ states: ['retry'] })).toBe(0)
  expect(await letters.retry(options)).toEqual({ retried: 201, refused })
  expect(await letters.retry(options)).toEqual({ retried: 0, refused })
  await database.pool.query(`update millrace_dead_letter set state = 'purged' where id = 1`)
  expect(await letters.retry({ ...options, filter: { ids: [1] } })).toMatchObject({ retried: 0, refused: [{ id: 1 }] })
})

pgTest('one that is discarded stays for the record (G1)', async ({ databaseUrl }) => {
  await using database = await openWith(databaseUrl, {}, {})
  const letters = new DeadLetters(database)
  await database.pool.query(`update millrace_dead_letter set state = 'replayed' where id = 2`)
  expect(await letters.discard({})).toBe(1)
  expect(await letters.find(1)).toMatchObject({ state: 'discarded', payload: 'good', error: letter.error })
  expect(await letters.find(2)).toMatchObject({ state: 'replayed' })
})
