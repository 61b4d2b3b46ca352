import { migrate, openDatabase } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { createEvent, deleteEvent, EVENT_TIME, readTables, updateEvent } from '@millrace/indexing/testing'
import type { RecordJson } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { appBskyPlugins } from './index.ts'
import { alice, blob, bob, post, record, refTo, replyTo } from './testing/records.ts'

const secret = 'read by nobody any more'
const root = createEvent({ did: bob, record: post() })

/** Records that have their own words in every place that a table has for them. */
const worded: RecordJson[] = [
  post({
    text: secret,
    tags: [secret],
    reply: replyTo(root, root),
    embed: {
      $type: 'app.bsky.embed.recordWithMedia',
      record: { record: refTo(root) },
      media: { $type: 'app.bsky.embed.images', images: [{ image: blob('picture'), alt: secret }] },
    },
  }),
  post({
    text: secret,
    embed: {
      $type: 'app.bsky.embed.external',
      external: { uri: 'https://example.com', title: secret, description: secret, thumb: blob('thumb') },
    },
  }),
  post({ text: secret, embed: { $type: 'app.bsky.embed.video', video: blob('film', 'video/mp4'), alt: secret } }),
  record('app.bsky.graph.list', { name: secret, description: secret, purpose: 'app.bsky.graph.defs#curatelist' }),
  record('app.bsky.feed.generator', { did: 'did:web:feed.example', displayName: secret, description: secret }),
  record('app.bsky.graph.starterpack', {
    name: secret,
    description: secret,
    list: `at://${bob}/app.bsky.graph.list/1`,
  }),
  record('app.bsky.graph.verification', { subject: bob, handle: 'bob.test', displayName: secret }),
]
const profile = record('app.bsky.actor.profile', { displayName: secret, description: secret })

pgTest('records of app.bsky that are deleted leave none of their words in any table (X25)', async ({ databaseUrl }) => {
  await using database = await openDatabase({ url: databaseUrl, poolSize: 3, pipeline: true })
  await migrate(database)
  const now = (): number => Date.parse(EVENT_TIME) + 1_000
  const service = await IndexingService.open({
    database,
    plugins: appBskyPlugins,
    notificationHorizonMs: Infinity,
    now,
  })
  const { rows } = await database.pool.query<{ name: string }>(
    `select tablename::text as name from pg_tables where schemaname = 'bsky' and tablename not like 'kysely%'`,
  )
  const names = rows.map(({ name }) => name)
  const tables = async (): Promise<string[]> => {
    const found = await readTables(database, names)
    return names.filter((name) => JSON.stringify(found[name]).includes(secret))
  }

  const made = [
    ...worded.map((record) => createEvent({ did: alice, record })),
    createEvent({ did: alice, record: profile, rkey: 'self' }),
  ]
  expect((await service.index([root, ...made])).rejected).toEqual([])
  await service.index(made.map((event) => updateEvent(event, { ...event.record, labels: undefined, note: 'changed' })))
  expect(await tables()).toEqual(
    expect.arrayContaining(
      'record post post_embed_image post_embed_external post_embed_video list feed_generator starter_pack verification profile'.split(
        ' ',
      ),
    ),
  )
  await service.index(made.map((event) => deleteEvent(event)))
  expect(await tables()).toEqual([])
})
