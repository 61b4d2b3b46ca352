import { lockKey } from '@millrace/database'
import {
  recordUri,
  SEQ_BACKFILL,
  type AccountEvent,
  type IdentityEvent,
  type StreamEvent,
} from '@millrace/stream-protocol'
import { openDatabase } from '@millrace/database'
import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, carol, follow, openExample, quote, type ExampleIndexing } from '../example-plugins.testing.ts'
import { createEvent, deleteEvent, EVENT_TIME, readTables, snapshotEvents } from '../testing/index.ts'
import { ordersOf } from '../testing/orders.ts'

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
    expect(
      await indexing.query(
        `select attempts, forced, next_at < now() + interval '1 second' as due from millrace_identity`,
      ),
    ).toEqual([{ attempts: 0, forced: true, due: true }])
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
      await indexing.query('truncate actor, millrace_account_status, millrace_account')
      for (const event of order) await indexing.service.index([event])
      expect(await status(indexing)).toBe('takendown')
    }
  })

  pgTest(
    'numbers of a host that has lost those before are later than all of them (I7, I22)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const before = account({ status: 'suspended', seq: 1_000 })
      const after = account({ active: true, seq: 3, epoch: 1 })
      for (const order of [
        [before, after],
        [after, before],
      ]) {
        await indexing.query('truncate actor, millrace_account_status, millrace_account')
        for (const event of order) await indexing.service.index([event])
        expect(await status(indexing)).toBeNull()
      }
    },
  )

  pgTest('a reason that Postgres cannot store is no reason to fail', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([account({ status: `a\0b\ud800${'x'.repeat(9_000)}` })])
    expect(await status(indexing)).toMatch(/^a\ufffdb\ufffdx{200,250}$/)
  })

  pgTest('a local takedown is another thing, and stays (I23)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([identity])
    await indexing.query(`update actor set "takedownRef" = 'ref'`)
    for (const [seq, said] of ['deactivated', undefined, 'takendown', undefined].entries()) {
      await indexing.service.index([
        account({ seq: 20 + seq, active: said === undefined, ...(said && { status: said }) }),
      ])
      expect(await indexing.query('select "takedownRef" as ref, "upstreamStatus" as status from actor')).toEqual([
        { ref: 'ref', status: said ?? null },
      ])
    }
  })

  pgTest('its records stay while it is hidden', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([createEvent({ did: alice, record: follow(bob) })])
    await indexing.service.index([account({ status: 'suspended' })])
    expect(await indexing.query('select creator from follow')).toEqual([{ creator: alice }])
  })
})

describe('commits and syncs of an account that is inactive are not applied (I23)', () => {
  const host = 'relay.test'
  const commit = (subject: string, seq: number) => createEvent({ did: alice, record: follow(subject), seq, host })
  const before = commit(bob, 9)
  const after = commit(carol, 11)
  const word = account({ status: 'deactivated', seq: 10 })
  const subjects = ({ query }: ExampleIndexing) => query('select "subjectDid" as subject from follow order by 1')
  const reported = ({ query }: ExampleIndexing) => query('select "repoRev" as rev from actor_sync')

  pgTest(
    'but what its host sent before it said so, in every order and every batch (G5, X16)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      for (const order of ordersOf([before, word, after], 6)) {
        for (const batches of [order.map((event) => [event]), [order]]) {
          await indexing.query(
            'truncate follow, record, millrace_account, millrace_account_status, actor_sync, millrace_repo',
          )
          for (const batch of batches) await indexing.service.index(batch)
          // What arrives before the word is applied: it could not be known.
          const early = order.indexOf(after) < order.indexOf(word) && batches.length > 1
          expect(await subjects(indexing)).toEqual([{ subject: bob }, ...(early ? [{ subject: carol }] : [])])
          if (!early && batches.length > 1) expect(await reported(indexing)).toEqual([{ rev: before.rev }])
        }
      }
    },
  )

  pgTest('each is counted as skipped, and moves no revision (I17, X16)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([word])
    const { rev, commit, time, did } = after
    const sync: StreamEvent = { type: 'repo', sync: true, seq: 12, time, did, rev, commit, data: commit, host }
    const empty: StreamEvent = { type: 'repo', seq: 13, time, did, rev, commit, host }
    const result = await indexing.service.index([after, sync, empty, ...snapshotEvents([before])])
    expect(result).toMatchObject({ outcomes: ['skipped', 'skipped', 'skipped', 'skipped'], dirty: [], rejected: [] })
    expect(await reported(indexing)).toEqual([])
    expect(await indexing.query('select did from millrace_repo')).toEqual([])
  })

  pgTest(
    'when it is active again it is fetched anew, which is noted with the same commit (G2, G4)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await indexing.service.index([word])
      await indexing.service.index([after])
      await indexing.service.index([account({ active: true, seq: 12 })])
      expect(await indexing.query('select did, reason from millrace_dirty')).toEqual([
        { did: alice, reason: 'reactivated' },
      ])
      expect(await indexing.query('select did from millrace_account')).toEqual([])
      const later = commit(carol, 13)
      expect(await indexing.service.index([later])).toMatchObject({ outcomes: ['applied'] })
    },
  )

  pgTest('what a backfill met only hides it: what a firehose sends is applied', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([account({ status: 'deactivated', seq: SEQ_BACKFILL, host: 'pds.test' })])
    expect(await indexing.service.index([after])).toMatchObject({ outcomes: ['applied'] })
    expect(await actors(indexing)).toMatchObject([{ did: alice, status: 'deactivated' }])
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
    'actor_sync',
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
      // Made by a record that is there: should the account come back, it has not missed it.
      notification: [{ did: alice, author: bob }],
      duplicate_record: [],
      actor: [{ did: bob }],
      actor_sync: [{ did: bob }],
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
      await indexing.query('truncate millrace_account_status, millrace_account')
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
    await using other = await openDatabase({ url: databaseUrl })
    const pool = Object.assign(Object.create(other.pool) as typeof other.pool, {
      connect: () => Promise.reject(Object.assign(new Error('killed'), { code: 'ECONNRESET' })),
    })
    await using crashing = await openExample(databaseUrl, { background: { ...other, pool } })
    await indexing.service.index(ofAlice)
    await expect(crashing.service.index([gone])).rejects.toThrow('killed')
    expect(await indexing.query('select count(*) as count from record')).toEqual([{ count: ofAlice.length }])
    // It was not acked, and is read again.
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

  pgTest('keeps the row of its repo with its floor (I23)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    const { rev } = ofAlice[0]!
    await indexing.query('insert into millrace_repo (did, head_rev, floor_rev) values ($1, $2, $2)', alice, rev)
    await indexing.service.index([gone])
    // It rises to what was removed, so that nothing older comes back.
    const [repo] = await indexing.query<{ head: string; floor: string }>(
      'select head_rev as head, floor_rev as floor from millrace_repo where did = $1',
      alice,
    )
    expect(repo!.head).toBe(rev)
    expect(repo!.floor > rev).toBe(true)
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

  pgTest(
    'does not bring back what was removed from it before, or while it was deleted (G7)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const before = createEvent({ did: alice, record: follow(bob) })
      await indexing.service.index([before])
      await indexing.service.index([deleteEvent(before)])
      await indexing.service.index([gone])
      const meanwhile = createEvent({ did: alice, record: follow(carol) })
      await indexing.service.index([meanwhile, deleteEvent(meanwhile)])
      await indexing.service.index([account({ active: true, seq: 11 })])
      expect((await indexing.service.index([before, meanwhile])).outcomes).toEqual(['stale', 'stale'])
      expect(await indexing.query('select uri from follow')).toEqual([])
    },
  )

  pgTest('has all that its repo has when it comes back as it was', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    await indexing.service.index([gone])
    await indexing.service.index([account({ active: true, seq: 11 })])
    await indexing.service.index(snapshotEvents(ofAlice, ofAlice.at(-1)!.rev))
    expect(await indexing.query('select count(*) as count from record')).toEqual([{ count: ofAlice.length }])
    expect(await counts(indexing)).toMatchObject([
      { did: alice, follows: 1 },
      { did: bob, followers: 1 },
    ])
  })

  pgTest('is removed no further once it has come back', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    const client = await indexing.database.pool.connect()
    const waiting = (count: number): Promise<void> =>
      eventually(async () => {
        // Those of this database: other tests wait in theirs.
        const { rows } = await client.query(
          `select from pg_locks where locktype = 'advisory' and not granted
             and database = (select oid from pg_database where datname = current_database())`,
        )
        expect(rows).toHaveLength(count)
      })
    try {
      await client.query('begin')
      await client.query('select pg_advisory_xact_lock($1)', [lockKey('repo', alice)])
      const goes = indexing.service.index([gone])
      await waiting(1)
      // Those that wait get the lock in their order: the removal comes after the return.
      const returns = indexing.service.index([account({ active: true, seq: 11 })])
      await waiting(2)
      await client.query('commit')
      await Promise.all([goes, returns])
    } finally {
      client.release()
    }
    expect(await indexing.query('select count(*) as count from record')).toEqual([{ count: ofAlice.length }])
    expect(await actors(indexing)).toEqual([{ did: alice, handle: null, status: null }])
  })

  pgTest('a whole repo that a host cannot find removes nothing', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index(ofAlice)
    await indexing.service.index([account({ status: 'deleted', seq: SEQ_BACKFILL, host: 'pds.test' })])
    expect(await indexing.query('select count(*) as count from follow')).toEqual([{ count: 1 }])
  })
})
