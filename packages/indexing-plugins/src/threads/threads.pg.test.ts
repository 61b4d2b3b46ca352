import { lockKey, migrate, openDatabase, type Database } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { createEvent, deleteEvent, EVENT_TIME, nextRev, updateEvent } from '@millrace/indexing/testing'
import { recordUri, type StreamEvent } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { appBskyPlugins } from '../index.ts'
import { alice, bob, carol, post, record, refTo, replyTo } from '../testing/records.ts'

const root = createEvent({ did: alice, record: post({ text: 'root' }) })
const parent = createEvent({ did: bob, record: post({ text: 'parent', reply: replyTo(root, root) }) })
const elsewhere = createEvent({ did: alice, record: post({ text: 'elsewhere' }) })
const reply = createEvent({ did: carol, record: post({ text: 'reply', reply: replyTo(root, parent) }) })
const confused = createEvent({ did: carol, record: post({ text: 'confused', reply: replyTo(elsewhere, parent) }) })
const quote = createEvent({
  did: carol,
  record: post({ embed: { $type: 'app.bsky.embed.record', record: refTo(root) } }),
})
const gate = createEvent({
  did: alice,
  rkey: root.rkey,
  record: record('app.bsky.feed.threadgate', { post: recordUri(root), allow: [] }),
})
const account: StreamEvent = { type: 'account', seq: 1, time: EVENT_TIME, did: carol, active: false, status: 'deleted' }

async function open(url: string): Promise<{ database: Database; service: IndexingService } & AsyncDisposable> {
  const database = await openDatabase({ url, poolSize: 5, pipeline: true })
  await migrate(database)
  const now = (): number => Date.parse(EVENT_TIME) + 1_000
  const service = await IndexingService.open({ database, plugins: appBskyPlugins, now })
  return { database, service, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

describe('who changes one thread waits for who works on it, in another process too (X24)', () => {
  for (const { name, before, event, lock } of [
    { name: 'a new reply for its root', before: [root, parent], event: reply, lock: root },
    { name: 'a new reply for its parent, also when it names another root', before: [], event: confused, lock: parent },
    { name: 'a parent for replies that name another root', before: [root], event: parent, lock: parent },
    { name: 'a gate for the replies below it', before: [root, reply], event: gate, lock: root },
    {
      name: 'a reply that goes, for where it was',
      before: [root, parent, reply],
      event: deleteEvent(reply),
      lock: root,
    },
    {
      name: 'a reply that moves, for where it was',
      before: [root, parent, reply],
      event: updateEvent(reply, post({ text: 'no reply any more' })),
      lock: parent,
    },
    {
      name: 'an account that goes, for the threads it was in',
      before: [root, parent, reply],
      event: account,
      lock: parent,
    },
    { name: 'a new quote, for what it quotes', before: [root], event: quote, lock: root },
    { name: 'a quote that goes, for what it quoted', before: [root, quote], event: deleteEvent(quote), lock: root },
    {
      name: 'a quote that moves, for what it quoted',
      before: [root, quote],
      event: updateEvent(quote, post({ text: 'no quote any more' })),
      lock: root,
    },
    { name: 'an account that goes, for what it quoted', before: [root, quote], event: account, lock: root },
  ]) {
    pgTest(name, async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index(before)
      await waitsFor(indexing, event, 'pg_advisory_xact_lock', recordUri(lock))
    })
  }
})

describe('who only reads a thread does so with others, and waits for those who change it (X24)', () => {
  const quoting = createEvent({
    did: carol,
    record: post({ embed: { $type: 'app.bsky.embed.record', record: refTo(root) } }),
  })
  for (const { name, before, event, readers } of [
    { name: 'a new reply', before: [root, parent], event: reply, readers: [root, parent] },
    { name: 'a new reply whose parent is missing', before: [], event: reply, readers: [root, parent] },
    { name: 'a new quote', before: [root], event: quoting, readers: [root] },
  ]) {
    pgTest(name, async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index(before)
      const client = await indexing.database.pool.connect()
      try {
        await client.query('begin')
        for (const read of readers)
          await client.query('select pg_advisory_xact_lock_shared($1)', [lockKey('repo', recordUri(read))])
        expect((await indexing.service.index([event])).outcomes).toEqual(['applied'])
        await client.query('commit')
      } finally {
        client.release()
      }
    })
  }

  for (const { name, before, event, reader } of [
    { name: 'a parent that comes after its reply', before: [root, reply], event: parent, reader: root },
    { name: 'a root that comes after its replies', before: [parent], event: root, reader: root },
    {
      name: 'a reply that is written anew',
      before: [root, parent, reply],
      event: updateEvent(reply, post({ text: 'changed', reply: replyTo(root, parent) })),
      reader: root,
    },
    { name: 'a reply that goes', before: [root, parent, reply], event: deleteEvent(reply), reader: root },
    { name: 'a gate', before: [root, reply], event: gate, reader: root },
  ]) {
    pgTest(`${name} changes it`, async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index(before)
      await waitsFor(indexing, event, 'pg_advisory_xact_lock_shared', recordUri(reader))
    })
  }

  pgTest('a parent whose first reply comes while it waits changes it as well', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([root])
    const client = await indexing.database.pool.connect()
    try {
      const waiting = async (type: string): Promise<number> => {
        const { rows } = await client.query(waitingFor, [type])
        return rows.length
      }
      // The reply has its locks, and waits with them for a row.
      await client.query('begin')
      await client.query('insert into post_agg (uri) values ($1)', [recordUri(parent)])
      const replying = indexing.service.index([reply])
      await eventually(async () => expect(await waiting('transactionid')).toBe(1))
      const late = indexing.service.index([parent])
      await eventually(async () => expect(await waiting('advisory')).toBe(1))
      await client.query('rollback')
      await Promise.all([replying, late])
    } finally {
      client.release()
    }
    const { rows } = await indexing.database.pool.query('select "invalidReplyRoot" as invalid from post')
    expect(rows).toEqual([{ invalid: null }, { invalid: null }, { invalid: null }])
  })
})

/** Connections of this database, and of no other test, that wait for a lock of a kind. */
const waitingFor = `
  select from pg_locks as waiting where locktype = $1 and not granted and exists (
    select from pg_locks as other where other.pid = waiting.pid
      and other.database = (select oid from pg_database where datname = current_database()))`

/** Indexing the event waits for whoever has this lock, and goes on after it. */
async function waitsFor(
  { database, service }: { database: Database; service: IndexingService },
  event: StreamEvent,
  lock: 'pg_advisory_xact_lock' | 'pg_advisory_xact_lock_shared',
  name: string,
): Promise<void> {
  const client = await database.pool.connect()
  try {
    await client.query('begin')
    await client.query(`select ${lock}($1)`, [lockKey('repo', name)])
    let done = false
    const work = service.index([event]).then(() => (done = true))
    await eventually(async () => {
      const { rows } = await client.query(waitingFor, ['advisory'])
      expect(rows).toHaveLength(1)
    })
    expect(done).toBe(false)
    await client.query('commit')
    expect(await work).toBe(true)
  } finally {
    client.release()
  }
}

pgTest(
  'a reply tells its parent’s author whatever root it names, and nobody of the thread it is not in',
  async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([root, parent, elsewhere, confused])
    const { rows } = await indexing.database.pool.query(
      'select did, "reasonSubject" as about from notification where "recordUri" = $1',
      [recordUri(confused)],
    )
    expect(rows).toEqual([{ did: bob, about: recordUri(parent) }])
  },
)

pgTest(
  'a gate that comes late takes back once who was told and what was counted (X14, A3)',
  async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    const told = async () =>
      (await indexing.database.pool.query('select did from notification where author = $1 order by did', [carol])).rows
    const counted = async () =>
      (
        await indexing.database.pool.query('select "replyCount" as replies from post_agg where uri = $1', [
          recordUri(parent),
        ])
      ).rows
    await indexing.service.index([root, parent, reply])
    expect(await told()).toEqual([{ did: alice }, { did: bob }])
    expect(await counted()).toEqual([{ replies: 1 }])
    await indexing.service.index([gate])
    expect(await counted()).toEqual([{ replies: 0 }])
    expect(await told()).toEqual([])
    await indexing.service.index([deleteEvent(reply)])
    expect(await counted()).toEqual([{ replies: 0 }])
  },
)

pgTest(
  'a reply of the thread’s author that is gone says when it went, not when we heard of it',
  async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    const own = (text: string) => createEvent({ did: alice, record: post({ text, reply: replyTo(root, root) }) })
    const [first, second] = [own('first'), own('second')]
    const [hour, minute] = ['2026-01-15T11:00:00.000Z', '2026-01-15T11:59:00.000Z']
    await indexing.service.index([root, first])
    // One whose reply is there, and one that came and went in one batch.
    await indexing.service.index([deleteEvent(first, { time: hour }), second, deleteEvent(second, { time: minute })])
    const marks = async () =>
      (await indexing.database.pool.query('select uri, "deletedAt" from op_thread_reply order by uri')).rows
    expect(await marks()).toEqual([
      { uri: recordUri(first), deletedAt: hour },
      { uri: recordUri(second), deletedAt: minute },
    ])
    await indexing.service.index([{ ...first, rev: nextRev() }])
    expect(await marks()).toMatchObject([{ uri: recordUri(first), deletedAt: null }, { deletedAt: minute }])
  },
)
