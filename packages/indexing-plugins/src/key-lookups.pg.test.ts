import { migrate, openDatabase } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { createEvent, deleteEvent, EVENT_TIME, updateEvent } from '@millrace/indexing/testing'
import { recordUri } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { appBskyPlugins } from './index.ts'
import { alice, bob, carol, post, record, refTo, replyTo } from './testing/records.ts'

pgTest('no batch reads a whole table, though nobody has counted its rows yet', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl, poolSize: 1, pipeline: true })
  await using observer = await openDatabase({ url: databaseUrl, poolSize: 1 })
  await migrate(database)
  const now = (): number => Date.parse(EVENT_TIME) + 1_000
  const service = await IndexingService.open({ database, plugins: appBskyPlugins, now })
  const wholeTables = async (): Promise<unknown[]> => {
    await database.pool.query('select pg_stat_force_next_flush()')
    const { rows } = await observer.pool.query<{ table: string; scans: number }>(
      `select relname as table, seq_scan as scans from pg_stat_user_tables where schemaname = 'bsky' order by relname`,
    )
    return rows
  }

  const root = createEvent({ did: alice, record: post() })
  const reply = createEvent({ did: bob, record: post({ reply: replyTo(root, root) }) })
  const quoting = createEvent({
    did: carol,
    record: post({ embed: { $type: 'app.bsky.embed.record', record: refTo(root) } }),
  })
  const like = createEvent({ did: bob, record: record('app.bsky.feed.like', { subject: refTo(root) }) })
  const again = createEvent({ did: bob, record: record('app.bsky.feed.like', { subject: refTo(root) }) })
  const follow = createEvent({ did: bob, record: record('app.bsky.graph.follow', { subject: alice }) })
  const repost = createEvent({ did: carol, record: record('app.bsky.feed.repost', { subject: refTo(root) }) })
  const gate = createEvent({
    did: alice,
    rkey: root.rkey,
    record: record('app.bsky.feed.threadgate', { post: recordUri(root), allow: [] }),
  })
  const before = await wholeTables()
  await service.index([root, like, again, follow, repost])
  await service.index([reply, quoting, gate])
  await service.index([updateEvent(reply, post({ text: 'no reply any more' })), deleteEvent(like), deleteEvent(gate)])
  await service.index([deleteEvent(root), deleteEvent(again), deleteEvent(repost), deleteEvent(follow)])
  expect(await wholeTables()).toEqual(before)
})
