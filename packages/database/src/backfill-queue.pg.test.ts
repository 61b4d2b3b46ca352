import { sleep } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { BackfillQueue } from './backfill-queue.ts'
import { DirtyQueue } from './dirty-queue.ts'
import { PostgresLedger } from './ledger.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  return database
}

/** A backfiller takes these accounts, with these priorities, and no other. */
async function expectTaken(database: Database, expected: readonly string[]): Promise<void> {
  const found: string[] = []
  const source = new DirtyQueue({ database, hostUrl: (host) => host, idleMs: 5 })
  const stop = new AbortController()
  const taking = (async () => {
    for await (const { entries } of source.batches(stop.signal))
      found.push(...entries.map(({ event, priority }) => `${event.did} ${priority}`))
  })()
  try {
    await eventually(() => expect(found.toSorted()).toEqual(expected))
    await sleep(100)
    expect(found.toSorted()).toEqual(expected)
  } finally {
    stop.abort()
    await taking
  }
}

pgTest('what is added is fetched after all else, or first of all, and is added once', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const queue = new BackfillQueue(database)
  expect(await queue.add(['did:plc:a', 'did:plc:b', 'did:plc:a'])).toBe(2)
  expect(await queue.add(['did:plc:b', 'did:plc:c'], { first: true })).toBe(1)
  expect(await queue.counts()).toMatchObject({ waiting: { asked: 2, live: 0, repair: 0, backfill: 1 } })
  await expectTaken(database, ['did:plc:a 3', 'did:plc:b 0', 'did:plc:c 0'])
})

pgTest(
  'paused, what nobody waits for stays where it is, and so does what is added meanwhile',
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl)
    const queue = new BackfillQueue(database)
    await queue.add(['did:plc:a'])
    expect(await queue.isPaused()).toBe(false)
    await queue.setPaused(true)
    expect(await queue.isPaused()).toBe(true)
    await queue.add(['did:plc:b'])
    await queue.add(['did:plc:c'], { first: true })
    await expectTaken(database, ['did:plc:c 0'])
    await queue.setPaused(false)
    await expectTaken(database, ['did:plc:a 3', 'did:plc:b 3'])
  },
)

pgTest(
  'repos that were given up are fetched once more, and are no dead letters any longer',
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl)
    const ledger = new PostgresLedger({ database })
    const letter = { stream: 'repo_backfill', entryId: '1-0', reason: 'bad-signature', error: 'no', payload: '{}' }
    await ledger.deadLetter([
      { ...letter, did: 'did:plc:a' },
      // A record that was left out, and an event: neither is a repo that was given up.
      { ...letter, entryId: '2-0', did: 'did:plc:b', uri: 'at://did:plc:b/app.bsky.feed.post/1' },
      { ...letter, stream: 'firehose_live', did: 'did:plc:c' },
    ])
    await ledger.markDirty([
      { did: 'did:plc:a', reason: 'invalid-repo' },
      { did: 'did:plc:d', reason: 'invalid-repo' },
    ])
    await database.pool.query(`update millrace_dirty set next_at = now() + interval '1 hour', attempts = 9`)
    const queue = new BackfillQueue(database)
    expect(await queue.counts()).toMatchObject({ failed: 1, retrying: 2 })
    expect(await queue.retryFailed()).toBe(2)
    expect(await queue.counts()).toMatchObject({ failed: 0, retrying: 0 })
    await expectTaken(database, ['did:plc:a 1', 'did:plc:d 1'])
    const { rows } = await database.pool.query<{ did: string }>(
      `select did from millrace_dead_letter where state = 'kept' order by did`,
    )
    expect(rows.map(({ did }) => did)).toEqual(['did:plc:b', 'did:plc:c'])
  },
)
