import { classifyError } from '@millrace/database'
import type { AccountEvent, StreamEvent } from '@millrace/stream-protocol'
import { createLogSpy, eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import {
  alice,
  bob,
  carol,
  examplePlugins,
  follow,
  meterOf,
  openExample,
  quote,
  type ExampleIndexing,
} from './example-plugins.testing.ts'
import { defineRecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'
import { recount } from './recount/recount.ts'
import { createEvent, deleteEvent, EVENT_TIME, snapshotEvents, updateEvent } from './testing/index.ts'

/** Counts that are not zero, by column: who has how many. */
async function counts({ query }: ExampleIndexing): Promise<Record<string, Record<string, number>>> {
  const rows = await query<{ column: string; subject: string; count: number }>(`
    select * from (
      select 'followers' as "column", did as subject, "followersCount" as count from profile_agg
      union all select 'follows', did, "followsCount" from profile_agg
      union all select 'quotes', uri, "quoteCount" from post_agg
    ) as c where count <> 0`)
  const byColumn: Record<string, Record<string, number>> = { followers: {}, follows: {}, quotes: {} }
  for (const { column, subject, count } of rows) byColumn[column]![subject] = count
  return byColumn
}

/** Every count that is kept, against its rows. */
async function wrongCounts({ database }: ExampleIndexing): Promise<number> {
  const { columns } = await recount({ database, plugins: examplePlugins, dryRun: true })
  expect(columns.every(({ checked }) => checked > 0)).toBe(true)
  return columns.reduce((sum, { wrong }) => sum + wrong, 0)
}

/** As if nothing had happened. */
async function clear({ query }: ExampleIndexing): Promise<void> {
  const tables = await query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'bsky'::regnamespace and relkind = 'r' and relname not like '%migration%'`,
  )
  await query(tables.map(({ name }) => `delete from "${name}"`).join('; '))
}

const said = (active: boolean, seq: number): AccountEvent => ({
  type: 'account',
  seq,
  time: EVENT_TIME,
  did: alice,
  active,
  ...(!active && { status: 'deleted' }),
  host: 'relay.test',
})

const [one, two] = ['at://did:plc:x/test.c/1', 'at://did:plc:x/test.c/2'] as const
const follows = createEvent({ did: alice, record: follow(bob) })
const again = createEvent({ did: alice, record: follow(bob, { again: true }) })
const quotes = createEvent({ did: alice, record: quote(one) })
const carols = createEvent({ did: carol, record: follow(bob) })

pgTest('every way that rows come and go adjusts the counts (A3)', async ({ databaseUrl }) => {
  await using indexing = await openExample(databaseUrl)
  const none = { followers: {}, follows: {}, quotes: {} }
  const all = { followers: { [bob]: 1 }, follows: { [alice]: 1 }, quotes: { [one]: 1 } }
  for (const { name, batches, expected } of [
    { name: 'a creation', batches: [[follows], [quotes]], expected: all },
    { name: 'creations of one batch', batches: [[follows, quotes]], expected: all },
    { name: 'a whole repo', batches: [snapshotEvents([follows, quotes])], expected: all },
    {
      name: 'a whole repo over what was live',
      batches: [[follows, quotes], snapshotEvents([follows, quotes])],
      expected: all,
    },
    {
      name: 'an update, which takes from the old subject what it gives the new one',
      batches: [
        [follows, quotes],
        [updateEvent(follows, follow(carol)), updateEvent(quotes, quote(two))],
      ],
      expected: { followers: { [carol]: 1 }, follows: { [alice]: 1 }, quotes: { [two]: 1 } },
    },
    {
      name: 'an update that comes with its creation',
      batches: [[follows, updateEvent(follows, follow(carol))]],
      expected: { ...none, followers: { [carol]: 1 }, follows: { [alice]: 1 } },
    },
    {
      name: 'an update that its lexicon forbids',
      batches: [[follows, quotes], [updateEvent(follows, { $type: 'test.millrace.follow' })]],
      expected: { ...none, quotes: { [one]: 1 } },
    },
    {
      name: 'a deletion',
      batches: [[follows, quotes], [deleteEvent(follows)]],
      expected: { ...none, quotes: { [one]: 1 } },
    },
    {
      name: 'deletions of one batch',
      batches: [
        [follows, quotes],
        [deleteEvent(follows), deleteEvent(quotes)],
      ],
      expected: none,
    },
    { name: 'a deletion that comes first', batches: [[deleteEvent(follows)], [follows]], expected: none },
    { name: 'a second claim of one pair', batches: [[follows, again]], expected: { ...all, quotes: {} } },
    {
      name: 'the end of the first claim',
      batches: [[follows, again], [deleteEvent(follows)]],
      expected: { ...all, quotes: {} },
    },
    {
      name: 'the end of both',
      batches: [[follows, again], [deleteEvent(follows)], [deleteEvent(again)]],
      expected: none,
    },
    { name: 'the end of the account', batches: [[follows, again, quotes], [said(false, 1)]], expected: none },
    {
      name: 'its return',
      batches: [[follows, quotes], [said(false, 1)], [said(true, 2)], snapshotEvents([follows, quotes])],
      expected: all,
    },
  ] satisfies { name: string; batches: StreamEvent[][]; expected: object }[]) {
    await clear(indexing)
    for (const batch of batches) await indexing.service.index(batch)
    expect({ name, counts: await counts(indexing) }).toEqual({ name, counts: expected })
    await indexing.service.index(batches.at(-1)!)
    const repeated = `${name}, once more`
    expect({ name: repeated, counts: await counts(indexing) }).toEqual({ name: repeated, counts: expected })
  }
})

describe('counts come from rows that came or went', () => {
  pgTest('not from what was heard: once more is not one more (A1)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const back = deleteEvent(carols)
    for (const batch of [
      [follows, carols],
      [follows, follows, carols],
      snapshotEvents([follows]),
      [back],
      [back, carols],
    ])
      await indexing.service.index(batch)
    expect(await counts(indexing)).toMatchObject({ followers: { [bob]: 1 }, follows: { [alice]: 1 } })
  })

  pgTest('also where a record names one row twice (A1)', async ({ databaseUrl }) => {
    const plugin = defineRecordPlugin<unknown>({
      collection: untypedRecord('test.millrace.many'),
      table: 'starter_pack',
      toRow: ({ uri, cid, did, indexedAt }) => ({
        uri,
        cid,
        creator: did,
        createdAt: indexedAt,
        indexedAt,
        name: null,
      }),
      parts: [
        {
          table: 'post_embed_record',
          owner: 'postUri',
          toRows: ({ uri, cid, record }) =>
            (record as { of: string[] }).of.map((embedUri) => ({ postUri: uri, embedUri, embedCid: cid })),
          counts: [{ table: 'post_agg', key: 'uri', column: 'quoteCount', of: 'embedUri' }],
        },
      ],
    })
    await using indexing = await openExample(databaseUrl, { plugins: [plugin] })
    const many = createEvent({ did: alice, record: { $type: 'test.millrace.many', of: [one, two, one] } })
    await indexing.service.index([many])
    expect(await counts(indexing)).toMatchObject({ quotes: { [one]: 1, [two]: 1 } })
    await indexing.service.index([deleteEvent(many)])
    expect(await counts(indexing)).toMatchObject({ quotes: {} })
  })

  pgTest('not from counting: of what many write at once none is lost (A2)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await using other = await openExample(databaseUrl)
    const batches = Array.from({ length: 40 }, (_, i) => [
      createEvent({ did: `did:plc:s${i}`, record: follow(bob) }),
      createEvent({ did: `did:plc:s${i}`, record: quote(one) }),
    ])
    await Promise.all(batches.map((batch, i) => (i % 2 === 0 ? indexing : other).service.index(batch)))
    expect(await counts(indexing)).toMatchObject({ followers: { [bob]: 40 }, quotes: { [one]: 40 } })
    expect(await wrongCounts(indexing)).toBe(0)
  })
})

pgTest(
  'a subject that is not there has counts, and keeps them when it goes and comes back (A4)',
  async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const subject = createEvent({ did: bob, record: quote(two) })
    const about = createEvent({ did: alice, record: quote(`at://${bob}/${subject.collection}/${subject.rkey}`) })
    const uri = `at://${bob}/${subject.collection}/${subject.rkey}`
    for (const event of [about, subject, deleteEvent(subject), updateEvent(subject, quote(two))]) {
      await indexing.service.index([event])
      expect((await counts(indexing))['quotes']).toMatchObject({ [uri]: 1 })
    }
  },
)

pgTest(
  'a count that falls below zero is shown as it is, and told, until it is recounted (A5)',
  async ({ databaseUrl }) => {
    const logger = createLogSpy()
    const { meter, totals } = meterOf('millrace_counts_below_zero_total', 'column')
    await using indexing = await openExample(databaseUrl, { logger, meter })
    await indexing.service.index([follows])
    await indexing.query('update profile_agg set "followersCount" = 0')
    await indexing.service.index([deleteEvent(follows)])
    expect((await counts(indexing))['followers']).toEqual({ [bob]: -1 })
    expect(logger.messages('error')).toEqual([expect.stringContaining('below zero')])
    expect(Object.fromEntries(totals)).toEqual({ quoteCount: 0, followersCount: 1, followsCount: 0 })
    await indexing.service.index([carols])
    expect((await counts(indexing))['followers']).toEqual({})
    await recount({ database: indexing.database, plugins: examplePlugins })
    expect((await counts(indexing))['followers']).toEqual({ [bob]: 1 })
  },
)

describe('the removal of an account that is interrupted', () => {
  const many = Array.from({ length: 1_200 }, (_, i) =>
    createEvent({ did: alice, record: i % 2 === 0 ? follow(`did:plc:s${i % 900}`) : quote(i % 3 === 0 ? one : two) }),
  )
  for (const { chunk, place } of [
    { chunk: 'first', place: 100 },
    { chunk: 'second', place: 600 },
    { chunk: 'last', place: 1_150 },
  ]) {
    pgTest(`in its ${chunk} chunk leaves counts that are right, and ends with none (A6)`, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await indexing.service.index(snapshotEvents(many))
      await indexing.service.index([carols])
      await indexing.database.transaction(async (client) => {
        // It comes as far as this record, and no further.
        await client.query(
          'select from record where uri = (select uri from record where did = $1 order by uri offset $2 limit 1) for update',
          [alice, place],
        )
        const removing = indexing.service.index([said(false, 1)]).then(() => 'removed', classifyError)
        await eventually(async () => {
          const killed = await indexing.query(`
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`)
          expect(killed).toHaveLength(1)
        })
        expect(await removing).toBe('transient')
      })
      const left = await indexing.query('select from record where did = $1', alice)
      expect(left.length).toBe(many.length - Math.floor(place / 500) * 500)
      expect(await wrongCounts(indexing)).toBe(0)
      await indexing.service.index([said(false, 1)])
      expect(await counts(indexing)).toEqual({ followers: { [bob]: 1 }, follows: { [carol]: 1 }, quotes: {} })
      expect(await wrongCounts(indexing)).toBe(0)
    })
  }
})
