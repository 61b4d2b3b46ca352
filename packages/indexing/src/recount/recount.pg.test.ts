import { createLogSpy, eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import {
  alice,
  bob,
  carol,
  examplePlugins,
  follow,
  openExample,
  quote,
  type ExampleIndexing,
} from '../example-plugins.testing.ts'
import { defineRecordPlugin } from '../plugin.ts'
import { untypedRecord } from '../record-type.ts'
import { createEvent, deleteEvent } from '../testing/index.ts'
import { recount, type RecountOptions, type RecountProgress, type RecountReport } from './recount.ts'

const liked = 'at://did:plc:x/test.c/1'

const run = ({ database }: ExampleIndexing, options: Partial<RecountOptions> = {}): Promise<RecountReport> =>
  recount({ database, plugins: examplePlugins, ...options })

/** Followers of an account, as they are kept. */
const followers = async ({ query }: ExampleIndexing, did: string): Promise<unknown> =>
  (await query(`select "followersCount" as count from profile_agg where did = $1`, did))[0]?.['count']

const wrongs = ({ columns }: RecountReport): Record<string, number> =>
  Object.fromEntries(columns.map(({ column, wrong }) => [column, wrong]))

describe('a recount', () => {
  pgTest('corrects what is wrong, says what it was, and leaves the rest alone (A7)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([
      createEvent({ did: alice, record: follow(bob) }),
      createEvent({ did: carol, record: follow(bob) }),
      createEvent({ did: bob, record: follow(carol) }),
      createEvent({ did: alice, record: quote(liked) }),
    ])
    expect(wrongs(await run(indexing))).toEqual({ quoteCount: 0, followersCount: 0, followsCount: 0 })

    await indexing.query(`update profile_agg set "followersCount" = 7, "postsCount" = 5 where did = $1`, bob)
    await indexing.query('delete from profile_agg where did = $1', carol)
    await indexing.query(`update profile_agg set "followsCount" = 0 where did = $1`, alice)
    await indexing.query(`insert into profile_agg (did, "followsCount") values ('did:plc:gone', 3)`)
    await indexing.query(
      `update post_agg set "quoteCount" = -2, "bookmarkCount" = 9, "likeCount" = 4 where uri = $1`,
      liked,
    )
    const found = { checked: 4, negative: 0 }
    expect((await run(indexing)).columns).toEqual([
      {
        table: 'post_agg',
        column: 'quoteCount',
        checked: 1,
        wrong: 1,
        tooLow: 3,
        tooHigh: 0,
        negative: 1,
        samples: [{ subject: liked, stored: -2, counted: 1 }],
      },
      {
        table: 'profile_agg',
        column: 'followersCount',
        ...found,
        wrong: 2,
        tooLow: 1,
        tooHigh: 5,
        samples: [
          { subject: bob, stored: 7, counted: 2 },
          { subject: carol, stored: 0, counted: 1 },
        ],
      },
      {
        table: 'profile_agg',
        column: 'followsCount',
        ...found,
        wrong: 3,
        tooLow: 2,
        tooHigh: 3,
        samples: [
          { subject: alice, stored: 0, counted: 1 },
          { subject: carol, stored: 0, counted: 1 },
          { subject: 'did:plc:gone', stored: 3, counted: 0 },
        ],
      },
    ])
    // Numbers that no plugin counts are somebody else's.
    expect(await indexing.query('select * from post_agg')).toMatchObject([
      { uri: liked, quoteCount: 1, bookmarkCount: 9, likeCount: 4 },
    ])
    expect(await indexing.query('select * from profile_agg order by did')).toEqual([
      { did: alice, followersCount: 0, followsCount: 1, postsCount: 0 },
      { did: bob, followersCount: 2, followsCount: 1, postsCount: 5 },
      { did: carol, followersCount: 1, followsCount: 1, postsCount: 0 },
      { did: 'did:plc:gone', followersCount: 0, followsCount: 0, postsCount: 0 },
    ])
    expect(wrongs(await run(indexing))).toEqual({ quoteCount: 0, followersCount: 0, followsCount: 0 })
  })

  pgTest('that is dry says the same, changes nothing and waits for nobody', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([createEvent({ did: alice, record: follow(bob) })])
    await indexing.query('delete from profile_agg where did = $1', alice)
    await indexing.query(`update profile_agg set "followersCount" = 7 where did = $1`, bob)
    const before = await indexing.query('select * from profile_agg')
    await indexing.database.transaction(async (client) => {
      await client.query('select from profile_agg for update')
      const { columns } = await run(indexing, { dryRun: true })
      expect(columns).toMatchObject([{}, { wrong: 1, tooHigh: 6 }, { wrong: 1, tooLow: 1 }])
    })
    expect(await indexing.query('select * from profile_agg')).toEqual(before)
  })

  pgTest('goes by the keys of counts and of rows alike, chunk by chunk', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const people = Array.from({ length: 9 }, (_, i) => `did:plc:p${i}`)
    // Everyone follows the next two; every third row of counts is missing, and some are there for nobody.
    await indexing.service.index(
      people.flatMap((did, i) =>
        [1, 2].map((n) => createEvent({ did, record: follow(people[(i + n) % people.length]!) })),
      ),
    )
    await indexing.query(
      `delete from profile_agg where did = any ($1)`,
      people.filter((_, i) => i % 3 === 0),
    )
    await indexing.query(
      `insert into profile_agg (did, "followersCount") select 'did:plc:q' || n, 1 from generate_series(0, 3) as n`,
    )
    const seen: RecountProgress[] = []
    const { columns } = await run(indexing, { chunk: 2, onProgress: (progress) => void seen.push(progress) })
    expect(columns).toMatchObject([{ checked: 0 }, { checked: 13, wrong: 7, tooLow: 6, tooHigh: 4 }, { wrong: 3 }])
    expect(seen.map(({ position }) => position.subject)).toEqual([
      undefined,
      ...[1, 3, 5, 7].map((i) => people[i]),
      'did:plc:q0',
      'did:plc:q2',
      'did:plc:q3',
    ])
    expect(seen.at(-1)).toMatchObject({ checked: 13, wrong: 10 })
    expect(await indexing.query('select did from profile_agg where "followersCount" <> 2 order by did')).toHaveLength(4)
  })

  pgTest('stops after the chunk in hand, and another one goes on from there', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const people = Array.from({ length: 5 }, (_, i) => `did:plc:p${i}`)
    await indexing.service.index(people.map((did) => createEvent({ did, record: follow(bob) })))
    await indexing.query('update profile_agg set "followsCount" = 8')
    const stop = new AbortController()
    const first = await run(indexing, {
      chunk: 2,
      signal: stop.signal,
      onProgress: ({ position }) => position.subject === people[0] && stop.abort(),
    })
    expect(first.stoppedAt).toEqual({ table: 'profile_agg', subject: people[0] })
    expect(first.columns.at(-1)).toMatchObject({ checked: 2, wrong: 2 })
    const second = await run(indexing, { chunk: 2, after: first.stoppedAt! })
    expect(second.stoppedAt).toBeUndefined()
    // What comes before is not looked at again.
    expect(second.columns.map(({ column }) => column)).toEqual(['followersCount', 'followsCount'])
    expect(second.columns.at(-1)).toMatchObject({ checked: 4, wrong: 4 })
    expect(await indexing.query('select did from profile_agg where "followsCount" = 8')).toEqual([])
  })

  pgTest('is of some tables or some subjects, if that is wanted', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([
      createEvent({ did: alice, record: follow(bob) }),
      createEvent({ did: alice, record: quote(liked) }),
    ])
    await indexing.query('update profile_agg set "followersCount" = 5; update post_agg set "quoteCount" = 5')
    const { columns } = await run(indexing, { subjects: [bob, bob, liked, 'did:plc:nobody'], chunk: 2 })
    expect(columns).toMatchObject([
      { column: 'quoteCount', checked: 1, wrong: 1 },
      { column: 'followersCount', checked: 1, wrong: 1 },
      { column: 'followsCount', checked: 1, wrong: 0 },
    ])
    expect([await followers(indexing, alice), await followers(indexing, bob)]).toEqual([5, 1])
    expect(wrongs(await run(indexing, { tables: ['profile_agg'] }))).toEqual({ followersCount: 1, followsCount: 0 })
    await expect(run(indexing, { tables: ['follow'] })).rejects.toThrow('nothing is counted in follow')
    const elsewhere = { tables: ['post_agg'], after: { table: 'profile_agg' } }
    await expect(run(indexing, elsewhere)).rejects.toThrow('cannot go on in profile_agg')
  })

  pgTest('says how many counts were below zero (A5)', async ({ databaseUrl }) => {
    const logger = createLogSpy()
    await using indexing = await openExample(databaseUrl)
    const event = createEvent({ did: alice, record: follow(bob) })
    await indexing.service.index([event])
    await indexing.query('update profile_agg set "followersCount" = 0 where did = $1', bob)
    await indexing.service.index([deleteEvent(event)])
    // Nothing hides it until then.
    expect(await followers(indexing, bob)).toBe(-1)
    expect((await run(indexing, { logger })).columns[1]).toMatchObject({ wrong: 1, negative: 1, tooLow: 1 })
    expect(logger.messages('error')).toEqual(['counts are below zero'])
    expect(await followers(indexing, bob)).toBe(0)
  })

  pgTest('reads no whole table for a subject: without an index it is refused', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.query('drop index follow_subject_cursor_idx')
    await expect(run(indexing)).rejects.toThrow('an index that begins with follow.subjectDid')
    await indexing.query('create index on follow ("subjectDid") where "subjectDid" is not null')
    await run(indexing)
  })
})

describe('with others at work, a recount is exact', () => {
  const row = (n: number) =>
    `insert into follow (uri, cid, creator, "subjectDid", "createdAt", "indexedAt") values ('at://w/${n}', 'c', 'did:plc:w${n}', '${bob}', '', '')`
  const add = (by: number) =>
    `insert into profile_agg (did, "followersCount") values ('${bob}', ${by}) on conflict (did) do update set "followersCount" = profile_agg."followersCount" + ${by}`
  const isExact = async (indexing: ExampleIndexing): Promise<void> => {
    const [counted] = await indexing.query('select count(*) as n from follow where "subjectDid" = $1', bob)
    expect(await followers(indexing, bob)).toBe(counted!['n'])
  }
  const recountBob = (indexing: ExampleIndexing): Promise<RecountReport> => run(indexing, { subjects: [bob] })

  /** Who waits for a lock in this database. */
  const untilWaiting = ({ query }: ExampleIndexing, count: number): Promise<number[]> =>
    eventually(async () => {
      const rows = await query<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      expect(rows).toHaveLength(count)
      return rows.map(({ pid }) => pid)
    })

  for (const { name, before, writes } of [
    { name: 'has added rows and count', before: [row(1), add(5)], writes: [row(2), add(1)] },
    {
      name: 'has removed rows, and taken from the count',
      before: [row(1), row(2), add(5)],
      writes: [`delete from follow where uri = 'at://w/2'`, add(-1)],
    },
    { name: 'has made the row of counts', before: [row(1)], writes: [row(2), add(1)] },
  ]) {
    pgTest(`a writer that ${name}, and commits while we wait for it (A7)`, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      for (const statement of before) await indexing.query(statement)
      let recounting: Promise<RecountReport> | undefined
      await indexing.database.transaction(async (client) => {
        for (const statement of writes) await client.query(statement)
        recounting = recountBob(indexing)
        await untilWaiting(indexing, 1)
      })
      await recounting
      await isExact(indexing)
    })
  }

  pgTest('a writer that has added its rows, and not yet its count (A7)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    for (const statement of [row(1), add(5)]) await indexing.query(statement)
    await indexing.database.transaction(async (client) => {
      await client.query(row(2))
      await recountBob(indexing)
      expect(await followers(indexing, bob)).toBe(1)
      await client.query(add(1))
    })
    await isExact(indexing)
  })

  pgTest('another recount that has found the same (A7)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    for (const statement of [row(1), row(2), add(9)]) await indexing.query(statement)
    let both: Promise<unknown> | undefined
    // Both have begun before either can write.
    await indexing.database.transaction(async (client) => {
      await client.query('select from profile_agg for update')
      both = Promise.all([recountBob(indexing), recountBob(indexing)])
      await untilWaiting(indexing, 2)
    })
    await both
    await isExact(indexing)
  })

  pgTest('one that lost its connection, and comes back (A7)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    for (const statement of [row(1), row(2), add(9)]) await indexing.query(statement)
    let recounting: Promise<RecountReport> | undefined
    await indexing.database.transaction(async (client) => {
      await client.query('select from profile_agg for update')
      recounting = recountBob(indexing)
      const [pid] = await untilWaiting(indexing, 1)
      await indexing.query('select pg_terminate_backend($1)', pid)
    })
    expect((await recounting)!.columns[1]).toMatchObject({ wrong: 1, tooHigh: 7 })
    await isExact(indexing)
  })
})

pgTest('a count by a column that is not there is refused before anything is written', async ({ databaseUrl }) => {
  const plugin = defineRecordPlugin({
    collection: untypedRecord('test.millrace.typo'),
    table: 'follow',
    toRow: ({ uri, cid, did, indexedAt }) => ({
      uri,
      cid,
      creator: did,
      subjectDid: did,
      createdAt: indexedAt,
      indexedAt,
    }),
    uniqueBy: ['creator', 'subjectDid'],
    counts: [{ table: 'profile_agg', key: 'did', column: 'followersCount', of: 'subjectdid' }],
  })
  await expect(openExample(databaseUrl, { plugins: [plugin] })).rejects.toThrow('follow.subjectdid')
})
