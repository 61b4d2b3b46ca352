import {
  recordUri,
  SEQ_BACKFILL,
  type AccountEvent,
  type IdentityEvent,
  type StreamEvent,
} from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, follow, openExample, quote, type ExampleIndexing } from '../example-plugins.testing.ts'
import { createEvent, deleteEvent, EVENT_TIME, readTables } from '../testing/index.ts'

const account = (fields: Partial<AccountEvent>): AccountEvent => ({
  type: 'account',
  seq: 10,
  time: EVENT_TIME,
  did: alice,
  active: false,
  host: 'relay.test',
  ...fields,
})
const identity: IdentityEvent = { type: 'identity', seq: 5, time: EVENT_TIME, did: alice, handle: 'mallory.test' }

const actors = ({ query }: ExampleIndexing) =>
  query('select did, handle, "upstreamStatus" as status from actor order by did')
const waiting = async ({ query }: ExampleIndexing) =>
  (await query<{ did: string }>('select did from millrace_identity order by did')).map(({ did }) => did)

describe('an account has a row from the first that is heard of it (D3)', () => {
  for (const { name, event } of [
    { name: 'a record', event: createEvent({ did: alice, record: follow(bob) }) },
    {
      name: 'the end of a record that was never seen',
      event: deleteEvent({ did: alice, collection: 'a.b.c', rkey: '1' }),
    },
    { name: 'an identity', event: identity },
    { name: 'a status', event: account({ active: true }) },
  ] satisfies { name: string; event: StreamEvent }[]) {
    pgTest(`${name}, and its handle is looked up, not believed (I24, D12)`, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await indexing.service.index([event])
      expect(await actors(indexing)).toEqual([{ did: alice, handle: null, status: null }])
      expect(await waiting(indexing)).toEqual([alice])
    })
  }

  pgTest('what an account is followed by gives it no row', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([createEvent({ did: alice, record: follow(bob) })])
    expect(await actors(indexing)).toHaveLength(1)
  })

  pgTest('identity events of one account are one look-up, due at once (D4)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([identity])
    await indexing.query(`update millrace_identity set attempts = 9, next_at = now() + interval '1 day'`)
    await indexing.service.index([identity, { ...identity, seq: 6 }])
    expect(await indexing.query('select attempts, forced, next_at <= now() as due from millrace_identity')).toEqual([
      { attempts: 0, forced: true, due: true },
    ])
  })
})

describe('what hosts say about an account (I22)', () => {
  const status = async (indexing: ExampleIndexing) => (await actors(indexing))[0]!['status']

  for (const said of ['deactivated', 'takendown', 'suspended', 'desynchronized', 'throttled', 'anything else']) {
    pgTest(`${said} hides it, and active shows it again (I23)`, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await indexing.service.index([account({ status: said })])
      expect(await status(indexing)).toBe(said)
      await indexing.service.index([account({ active: true, seq: 11 })])
      expect(await status(indexing)).toBeNull()
    })
  }

  pgTest('inactive without a reason hides it as well', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([account({})])
    expect(await status(indexing)).toBe('inactive')
  })

  pgTest('an older word of the same host changes nothing, in one batch or in two', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const newer = account({ active: true, seq: 20 })
    const older = account({ status: 'suspended', seq: 19 })
    await indexing.service.index([newer, older])
    expect(await status(indexing)).toBeNull()
    await indexing.service.index([older])
    expect(await status(indexing)).toBeNull()
  })

  pgTest('numbers of one host say nothing about another: one that hides it is enough', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const relay = account({ status: 'takendown', seq: 1 })
    const pds = account({ active: true, host: 'pds.test', seq: 1_000 })
    for (const order of [
      [relay, pds],
      [pds, relay],
    ]) {
      await indexing.query('truncate actor, millrace_account_status')
      for (const event of order) await indexing.service.index([event])
      expect(await status(indexing)).toBe('takendown')
    }
  })

  pgTest('its records stay while it is hidden', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([createEvent({ did: alice, record: follow(bob) })])
    await indexing.service.index([account({ status: 'suspended' })])
    expect(await indexing.query('select creator from follow')).toEqual([{ creator: alice }])
  })
})

describe('an account that is deleted (I23, A6)', () => {
  const gone = account({ status: 'deleted' })
  const tables = [
    'record',
    'follow',
    'starter_pack',
    'quote',
    'post_embed_record',
    'notification',
    'duplicate_record',
    'actor',
    'millrace_tombstone',
    'millrace_identity',
  ]
  const ofAlice = [
    createEvent({ did: alice, record: follow(bob) }),
    createEvent({ did: alice, record: follow(bob, { again: true }) }),
    createEvent({ did: alice, record: quote(`at://${bob}/test.c/1`) }),
    createEvent({ did: alice, record: { $type: 'test.millrace.other' } }),
  ]
  const back = createEvent({ did: bob, record: follow(alice) })
  const counts = ({ query }: ExampleIndexing) =>
    query('select did, "followersCount" as followers, "followsCount" as follows from profile_agg order by did')

  pgTest('leaves nothing of its own, and what others have made stays', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([...ofAlice, back, deleteEvent(createEvent({ did: alice, record: follow(bob) }))])
    await indexing.service.index([gone])
    const rows = await readTables(indexing.database, tables)
    expect(JSON.stringify(rows['actor'])).not.toContain(alice)
    expect(rows).toMatchObject({
      record: [{ uri: recordUri(back) }],
      follow: [{ uri: recordUri(back) }],
      starter_pack: [],
      quote: [],
      post_embed_record: [],
      notification: [],
      duplicate_record: [],
      actor: [{ did: bob }],
      millrace_tombstone: [],
      millrace_identity: [{ did: bob }],
    })
    expect(await counts(indexing)).toEqual([
      { did: alice, followers: 1, follows: 0 },
      { did: bob, followers: 0, follows: 1 },
    ])
    expect(await indexing.query('select "quoteCount" as count from post_agg')).toEqual([{ count: 0 }])
  })

  pgTest('ends in the same rows wherever in the stream it stood (G5)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const events = [...ofAlice, identity, deleteEvent(ofAlice[0]!)]
    for (const batches of [
      [[...events, gone]],
      [[gone, ...events]],
      [events, [gone]],
      [[gone], events],
      [[gone], [identity]],
      ...events.map((event) => [[event], [gone], events]),
    ]) {
      for (const batch of batches) await indexing.service.index(batch)
      const rows = await readTables(indexing.database, tables)
      expect(rows).toEqual(Object.fromEntries([...tables].sort().map((table) => [table, []])))
      await indexing.query('truncate millrace_account_status')
    }
  })

  pgTest('has more records than one transaction takes', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const many = Array.from({ length: 1_001 }, (_, i) =>
      createEvent({ did: alice, record: follow(`did:plc:s${i % 700}`) }),
    )
    await indexing.service.index(many)
    await indexing.service.index([gone])
    const rows = await readTables(indexing.database, tables)
    expect(rows).toEqual(Object.fromEntries([...tables].sort().map((table) => [table, []])))
    expect(
      await indexing.query('select did from profile_agg where "followersCount" <> 0 or "followsCount" <> 0'),
    ).toEqual([])
  })

  pgTest('is removed to the end by whoever hears of it again after a crash', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    // As it is left by a process that was killed after the status was committed.
    await indexing.query(
      `insert into millrace_account_status values ($1, 'relay.test', false, 'deleted', 10, '2026')`,
      alice,
    )
    await indexing.service.index([gone])
    expect(await readTables(indexing.database, ['record', 'follow'])).toEqual({ record: [], follow: [] })
  })

  pgTest('may be removed by two at once', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await using other = await openExample(databaseUrl)
    await indexing.service.index([...ofAlice, back])
    await Promise.all([indexing.service.index([gone]), other.service.index([gone])])
    expect(await readTables(indexing.database, ['follow', 'millrace_tombstone'])).toMatchObject({
      follow: [{ creator: bob }],
      millrace_tombstone: [],
    })
    expect(await counts(indexing)).toEqual([
      { did: alice, followers: 1, follows: 0 },
      { did: bob, followers: 0, follows: 1 },
    ])
  })

  pgTest('keeps what moderation knows of it, without its handle', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    await indexing.query(`update actor set "takedownRef" = 'ref', handle = 'alice.test'`)
    await indexing.service.index([gone])
    expect(
      await indexing.query('select did, "takedownRef" as ref, handle, "upstreamStatus" as status from actor'),
    ).toEqual([{ did: alice, ref: 'ref', handle: null, status: 'deleted' }])
  })

  pgTest('takes nothing more, and is fetched anew when it comes back', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([gone])
    const later = createEvent({ did: alice, record: follow(bob) })
    expect(await indexing.service.index([later])).toMatchObject({ outcomes: ['skipped'], dirty: [] })
    expect(await indexing.service.index([account({ active: true, seq: 11 }), later])).toMatchObject({
      outcomes: ['applied', 'applied'],
      dirty: [{ did: alice, reason: 'reactivated' }],
    })
    expect(await indexing.query('select creator from follow')).toEqual([{ creator: alice }])
    expect(await actors(indexing)).toEqual([{ did: alice, handle: null, status: null }])
  })

  pgTest('a whole repo that a host cannot find removes nothing', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    await indexing.service.index([account({ status: 'deleted', seq: SEQ_BACKFILL, host: 'pds.test' })])
    expect(await indexing.query('select count(*) as count from follow')).toEqual([{ count: 1 }])
  })
})
