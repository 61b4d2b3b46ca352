import { recordUri, SEQ_BACKFILL, type StreamEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
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
import { IndexingService } from './indexing-service.ts'
import { defineRecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'
import { cidOf, createEvent, deleteEvent, nextRev, snapshotEvents, updateEvent } from './testing/index.ts'

async function index({ service }: ExampleIndexing, ...batches: StreamEvent[][]): Promise<string[]> {
  const outcomes: string[] = []
  for (const batch of batches) outcomes.push(...(await service.index(batch)).outcomes)
  return outcomes
}

const follows = ({ query }: ExampleIndexing) =>
  query<{ creator: string; subject: string }>('select creator, "subjectDid" as subject from follow order by uri')

describe('live events and whole repos meet (B16)', () => {
  const r4 = createEvent({ did: alice, record: follow(bob) })
  const ofRepo = snapshotEvents([r4])
  const r6 = updateEvent(r4, follow(carol))
  const gone = deleteEvent(r4)
  const older = { ...r4, rev: '3aaaaaaaaaaaa', cid: cidOf('older'), record: follow(carol) }
  const laterRepo = snapshotEvents([r6])
  const newest = createEvent({ did: alice, rkey: r4.rkey, record: follow(bob, { again: true }) })

  const toBob = [{ creator: alice, subject: bob }]
  const toCarol = [{ creator: alice, subject: carol }]
  for (const { name, events, rows } of [
    {
      name: 'a live deletion stays one when an older whole repo still has the record (G6, G7)',
      events: [gone, ...ofRepo],
      rows: [],
    },
    {
      name: 'a live update stays when an older whole repo has the version before it',
      events: [r6, ...ofRepo],
      rows: toCarol,
    },
    { name: 'an older live creation does not replace what a whole repo has', events: [...ofRepo, older], rows: toBob },
    { name: 'a deletion of what only a whole repo had', events: [...ofRepo, gone], rows: [] },
    {
      name: 'of two whole repos the later one counts, whichever comes last',
      events: [...laterRepo, ...ofRepo],
      rows: toCarol,
    },
    { name: 'what was made after the whole repo stays', events: [newest, ...ofRepo], rows: toBob },
    {
      name: 'a deletion overrules what came before, and is overruled by what comes after',
      events: [gone, newest, r4],
      rows: toBob,
    },
  ]) {
    pgTest(`${name}, one by one and as a batch`, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await index(indexing, ...events.map((event) => [event]))
      expect(await follows(indexing)).toEqual(rows)
      await indexing.query('truncate follow, record, millrace_tombstone')
      await index(indexing, events)
      expect(await follows(indexing)).toEqual(rows)
    })
  }
})

pgTest('a record that comes back leaves no mark of its deletion (G7)', async ({ databaseUrl }) => {
  await using indexing = await openExample(databaseUrl)
  const made = createEvent({ did: alice, record: follow(bob) })
  const gone = deleteEvent(made)
  const tombstones = () => indexing.query('select uri, rev from millrace_tombstone')
  await index(indexing, [made], [gone])
  expect(await tombstones()).toEqual([{ uri: recordUri(made), rev: gone.rev }])
  await index(indexing, [updateEvent(made, follow(carol))])
  expect(await tombstones()).toEqual([])
})

describe('what became of an event', () => {
  pgTest('is told of each, in order, and counted once (G1, O2)', async ({ databaseUrl }) => {
    const { meter, totals } = meterOf('millrace_indexed_events_total', 'outcome')
    await using indexing = await openExample(databaseUrl, { meter, otherCollections: 'skip' })
    expect([...totals.values()]).toEqual([0, 0, 0, 0, 0, 0])

    const one = createEvent({ did: alice, record: follow(bob) })
    const changed = updateEvent(one, follow(carol))
    const bad = createEvent({ did: alice, record: follow(3 as unknown as string) })
    const other = createEvent({ did: alice, record: { $type: 'test.millrace.other' } })
    expect(await index(indexing, [one, one, { ...one, cid: cidOf('x') }, changed, bad, other])).toEqual([
      'stale',
      'duplicate',
      'equivocation',
      'applied',
      'invalid',
      'skipped',
    ])
    expect(await index(indexing, [one, changed, snapshotEvents([changed])[0]!, deleteEvent(one)])).toEqual([
      'stale',
      'stale',
      'stale',
      'applied',
    ])
    expect(Object.fromEntries(totals)).toEqual({
      applied: 2,
      duplicate: 1,
      stale: 4,
      equivocation: 1,
      invalid: 1,
      skipped: 1,
    })
  })

  pgTest(
    'another content at the revision that is stored changes nothing and marks the account (G6)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const one = createEvent({ did: alice, record: follow(bob), host: 'relay.test' })
      await index(indexing, [one])
      const result = await indexing.service.index([{ ...one, cid: cidOf('forged'), record: follow(carol) }])
      expect(result).toMatchObject({
        outcomes: ['equivocation'],
        dirty: [{ did: alice, reason: 'equivocation', host: 'relay.test', rev: one.rev }],
      })
      expect(await follows(indexing)).toEqual([{ creator: alice, subject: bob }])
    },
  )

  pgTest('a batch takes as many statements as one event does', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        createEvent({ did: alice, record: follow(`did:plc:subject${i}x${count}`) }),
      )
    const few = await indexing.service.index(many(1))
    const lots = await indexing.service.index(many(300))
    expect([lots.statements, lots.roundTrips]).toEqual([few.statements, few.roundTrips])
  })
})

describe('records that are none (X9, X10)', () => {
  pgTest('a version that its lexicon forbids takes the one before with it, for good', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const good = createEvent({ did: alice, record: follow(bob) })
    const bad = updateEvent(good, follow(1 as unknown as string))
    await index(indexing, [good])
    const result = await indexing.service.index([bad])
    expect(result).toMatchObject({ outcomes: ['invalid'], rejected: [{ index: 0, reason: 'invalid-record' }] })
    expect(await index(indexing, [good])).toEqual(['stale'])
    expect(await follows(indexing)).toEqual([])
    expect(await indexing.query('select uri, rev from millrace_tombstone')).toEqual([
      { uri: recordUri(good), rev: bad.rev },
    ])
    expect(await indexing.query('select did from profile_agg where "followersCount" <> 0')).toEqual([])
  })

  pgTest(
    'an invalid version that a newer one of the same batch replaces is nobody’s concern',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      const bad = createEvent({ did: alice, record: follow(1 as unknown as string) })
      const result = await indexing.service.index([bad, updateEvent(bad, follow(bob))])
      expect(result).toMatchObject({ outcomes: ['stale', 'applied'], rejected: [] })
    },
  )

  pgTest('a collection without a plugin is kept as it came, live and from whole repos', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const json = JSON.parse('{"$type":"test.millrace.other","__proto__":{"a":1},"n":[1,null]}') as { $type: string }
    const one = createEvent({ did: alice, record: json })
    const two = snapshotEvents([createEvent({ did: bob, record: json })])[0]!
    await index(indexing, [one, two])
    const rows = await indexing.query('select uri, json, rev from record order by uri')
    expect(rows).toEqual(
      [one, two].map((event) => ({ uri: recordUri(event), json: JSON.stringify(json), rev: event.rev })),
    )
    await index(indexing, [deleteEvent(one), deleteEvent(two)])
    expect(await indexing.query('select uri from record')).toEqual([])
  })

  pgTest('or left, when it is not wanted', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl, { otherCollections: 'skip' })
    const other = createEvent({ did: alice, record: { $type: 'test.millrace.other' } })
    expect(await index(indexing, [other, deleteEvent(other), ...snapshotEvents([other])])).toEqual([
      'skipped',
      'skipped',
      'skipped',
    ])
    expect(await indexing.query('select uri from record union select uri from millrace_tombstone')).toEqual([])
    // The commits were read all the same.
    expect(await indexing.query('select did from actor_sync')).toEqual([{ did: alice }])
  })
})

describe('one row for a pair (X7)', () => {
  const [first, second, third] = [1, 2, 3].map((n) => createEvent({ did: alice, record: follow(bob, { n }) })) as [
    ReturnType<typeof createEvent>,
    ReturnType<typeof createEvent>,
    ReturnType<typeof createEvent>,
  ]
  const state = async ({ query }: ExampleIndexing) => ({
    rows: (await query<{ uri: string }>('select uri from follow')).map(({ uri }) => uri),
    waiting: await query('select uri, "duplicateOf" as for from duplicate_record order by uri'),
    followers: (
      await query<{ count: number }>(`select "followersCount" as count from profile_agg where did = $1`, bob)
    ).map(({ count }) => count),
    told: (await query<{ uri: string }>('select "recordUri" as uri from notification')).map(({ uri }) => uri),
  })
  const held = (by: StreamEvent & { type: 'create' }, ...waiting: (StreamEvent & { type: 'create' })[]) => ({
    rows: [recordUri(by)],
    waiting: waiting.map((event) => ({ uri: recordUri(event), for: recordUri(by) })),
    followers: [1],
    told: [recordUri(by)],
  })

  pgTest('the smallest URI has it, and its end promotes the next, to the last', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [third], [second])
    expect(await state(indexing)).toEqual(held(second, third))
    await index(indexing, [first])
    expect(await state(indexing)).toEqual(held(first, second, third))
    await index(indexing, [deleteEvent(first)])
    expect(await state(indexing)).toEqual(held(second, third))
    await index(indexing, [deleteEvent(second), deleteEvent(third)])
    expect(await state(indexing)).toEqual({ rows: [], waiting: [], followers: [0], told: [] })
  })

  pgTest('one that waits may go, and nothing else changes', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [first, second, third], [deleteEvent(second)])
    expect(await state(indexing)).toEqual(held(first, third))
  })

  pgTest(
    'one that changes its subject leaves its place to the next, and may come back (R76)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await index(indexing, [first, second, third], [updateEvent(first, follow(carol))])
      expect(await state(indexing)).toMatchObject({
        rows: [recordUri(first), recordUri(second)],
        waiting: [{ uri: recordUri(third), for: recordUri(second) }],
      })
      await index(indexing, [updateEvent(first, follow(bob, { back: true }))])
      expect(await state(indexing)).toEqual(held(first, second, third))
    },
  )

  pgTest('undone and done again within a batch is one follow (X2)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [first])
    const again = createEvent({ did: alice, record: follow(bob, { again: true }) })
    await index(indexing, [deleteEvent(first), again])
    expect(await state(indexing)).toEqual(held(again))
    const oncemore = createEvent({ did: alice, record: follow(bob, { again: 2 }) })
    await index(indexing, [oncemore, deleteEvent(again)])
    expect(await state(indexing)).toEqual(held(oncemore))
  })

  pgTest(
    'one that waits and that its lexicon no longer allows is passed over, not in the way of others',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await index(indexing, [first, second, third])
      await indexing.query(
        `update record set json = '{"$type":"test.millrace.follow"}' where uri = $1`,
        recordUri(second),
      )
      await index(indexing, [deleteEvent(first)])
      expect(await state(indexing)).toEqual(held(third))
    },
  )
})

describe('counts are what can be counted (A1, A3)', () => {
  pgTest('after any batches of creations, updates and deletions, repeated or not', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const people = [alice, bob, carol]
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
    const uris = ['at://did:plc:x/test.c/1', 'at://did:plc:x/test.c/2']
    const made: ReturnType<typeof createEvent>[] = []
    const step = (): StreamEvent => {
      const before = made[random(Math.max(1, made.length * 2))]
      const record = random(2) === 0 ? follow(people[random(3)]!, { n: random(3) }) : quote(uris[random(2)]!)
      if (!before) {
        const event = createEvent({ did: people[random(3)]!, record })
        made.push(event)
        return event
      }
      if (random(3) === 0) return deleteEvent(before)
      return before.collection === record.$type ? updateEvent(before, record) : before
    }
    for (let batch = 0; batch < 30; batch++) {
      const events = Array.from({ length: 1 + random(20) }, step)
      await index(indexing, events)
      if (batch % 3 === 0) await index(indexing, events.reverse())
    }
    const counted = await indexing.query(`
      select did, "followersCount" as followers, "followsCount" as follows from profile_agg where "followersCount" <> 0 or "followsCount" <> 0 order by did`)
    const actual = await indexing.query(`
      select did, (select count(*) from follow where "subjectDid" = did) as followers, (select count(*) from follow where creator = did) as follows
      from (select creator as did from follow union select "subjectDid" from follow) as everyone order by did`)
    expect(counted.length).toBeGreaterThan(1)
    expect(counted).toEqual(actual)
    expect(
      await indexing.query('select uri, "quoteCount" as count from post_agg where "quoteCount" <> 0 order by uri'),
    ).toEqual(
      await indexing.query('select subject as uri, count(*) as count from quote group by subject order by subject'),
    )
  })
})

describe('the revision that readers are told (X16)', () => {
  const rev = nextRev()
  const commit = [1, 2, 3].map((n, op, { length }) => ({
    ...createEvent({ did: alice, record: follow(`did:plc:s${n}`), rkey: `k${n}`, rev }),
    op,
    ops: length,
    data: 'root',
  }))
  const revs = ({ query }: ExampleIndexing) => query('select "repoRev" as rev, "commitCid" as commit from actor_sync')

  pgTest('is that of a commit when its last operation is in', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [commit[0]!, commit[1]!])
    expect(await revs(indexing)).toEqual([])
    await index(indexing, [commit[2]!])
    expect(await revs(indexing)).toEqual([{ rev, commit: commit[2]!.commit }])
  })

  pgTest('is that of a whole repo when its last event is in', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const [one] = snapshotEvents([createEvent({ did: alice, record: follow(bob) })])
    await index(indexing, [one!])
    expect(await revs(indexing)).toEqual([])
    const { commit } = one!
    await index(indexing, [{ type: 'repo', seq: SEQ_BACKFILL, did: alice, rev: one!.rev, commit, time: one!.time }])
    expect(await revs(indexing)).toEqual([{ rev: one!.rev, commit }])
  })

  pgTest('only rises', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const newer = createEvent({ did: alice, record: follow(carol) })
    await index(indexing, [newer], commit)
    expect(await revs(indexing)).toEqual([{ rev: newer.rev, commit: newer.commit }])
  })
})

describe('a repo that only says where it is (I21)', () => {
  const before = createEvent({ did: alice, record: follow(bob) })
  const sync = (data: string, rev = nextRev()): StreamEvent => ({
    type: 'repo',
    seq: 9,
    did: alice,
    rev,
    commit: cidOf(rev),
    time: before.time,
    sync: true,
    data,
    host: 'pds.test',
  })
  const dirtyOf = async ({ service, query }: ExampleIndexing, ...events: StreamEvent[]) => {
    await service.index(events)
    return await query('delete from millrace_dirty returning did, reason, host, rev')
  }
  const rev = async ({ query }: ExampleIndexing) =>
    (await query<{ rev: string }>('select "repoRev" as rev from actor_sync'))[0]?.rev

  pgTest('has the records that we have when its root is the same', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const claim = sync('root')
    expect(await dirtyOf(indexing, { ...before, data: 'root' })).toEqual([])
    expect(await dirtyOf(indexing, claim)).toEqual([])
    expect(await rev(indexing)).toBe('rev' in claim ? claim.rev : '')
  })

  pgTest('has to be fetched when its root is another one, and its revision is not told', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const claim = sync('elsewhere')
    await index(indexing, [{ ...before, data: 'root' }])
    expect(await dirtyOf(indexing, claim)).toEqual([
      { did: alice, reason: 'sync', host: 'pds.test', rev: 'rev' in claim && claim.rev },
    ])
    expect(await rev(indexing)).toBe(before.rev)
  })

  pgTest('is compared with what the events before it in its batch lead to', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    expect(await dirtyOf(indexing, { ...before, data: 'root' }, sync('root'))).toEqual([])
    const next = { ...updateEvent(before, follow(carol)), prevData: 'root', data: 'next' }
    expect(await dirtyOf(indexing, next, sync('root'))).toHaveLength(1)
  })

  pgTest('says nothing new at a revision that we are past', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [{ ...before, data: 'root' }])
    expect(await dirtyOf(indexing, sync('elsewhere', before.rev))).toEqual([])
  })

  pgTest('is complete without records when it is empty and we have none', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const empty = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'
    expect(await dirtyOf(indexing, sync(empty))).toEqual([])
    const { did: _, ...other } = before
    await index(indexing, [{ ...other, did: bob }])
    expect(await dirtyOf(indexing, { ...sync(empty), did: bob })).toHaveLength(1)
  })
})

describe('notifications follow the time of the record (X14)', () => {
  const young = createEvent({ did: alice, record: follow(bob, { createdAt: '2026-01-14T12:00:00Z' }) })
  const old = createEvent({ did: alice, record: follow(carol, { createdAt: '2026-01-10T12:00:00Z' }) })
  const told = async ({ query }: ExampleIndexing) =>
    (await query<{ did: string }>('select did from notification order by did')).map(({ did }) => did)

  pgTest('not the way it came', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [young, old])
    expect(await told(indexing)).toEqual([bob])
    await indexing.query('truncate follow, record, notification')
    await index(indexing, snapshotEvents([young, old]))
    expect(await told(indexing)).toEqual([bob])
  })

  for (const { name, horizon, expected } of [
    { name: 'all notify when that is wanted', horizon: Number.POSITIVE_INFINITY, expected: [bob, carol] },
    { name: 'or none', horizon: 0, expected: [] },
  ]) {
    pgTest(name, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl, { notificationHorizonMs: horizon })
      await index(indexing, [young, old])
      expect(await told(indexing)).toEqual(expected)
    })
  }

  pgTest('and who muted the thread of a post hears nothing of it', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const postUri = `at://${bob}/app.bsky.feed.post/3k`
    await indexing.query(
      `insert into post (uri, cid, creator, text, "replyRoot", "createdAt", "indexedAt") values ($1, 'c', $2, '', $3, '2026', '2026')`,
      postUri,
      bob,
      'at://root',
    )
    await indexing.query(`insert into thread_mute values ('at://root', $1, '2026')`, bob)
    const about = (embed: string) => createEvent({ did: alice, record: quote(embed) })
    await index(indexing, [
      about(postUri),
      about(`at://${bob}/app.bsky.feed.post/other`),
      about(`at://${carol}/app.bsky.feed.post/3k`),
    ])
    expect(await told(indexing)).toEqual([bob, carol])
  })
})

describe('a database that other software has written', () => {
  const one = createEvent({ did: alice, record: follow(bob) })

  pgTest('its rows without revision are older than anything', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [one])
    await indexing.query('update record set rev = null')
    expect(await index(indexing, [one])).toEqual(['duplicate'])
    expect(await indexing.query('select rev from record')).toEqual([{ rev: one.rev }])
    await indexing.query('update record set rev = null')
    expect(await index(indexing, [updateEvent(one, follow(carol))])).toEqual(['applied'])
    expect(await follows(indexing)).toEqual([{ creator: alice, subject: carol }])
  })

  pgTest('its blank rows are deletions', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.query(
      `insert into record (uri, cid, did, json, "indexedAt", rev) values ($1, '', $2, '', '', $3)`,
      recordUri(one),
      alice,
      nextRev(),
    )
    expect(await index(indexing, [one])).toEqual(['stale'])
    expect(await index(indexing, [updateEvent(one, follow(bob))])).toEqual(['applied'])
    expect(await indexing.query(`select uri from record where json = ''`)).toEqual([])
  })

  pgTest('a takedown of a record stays when the record changes', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await index(indexing, [one])
    await indexing.query(`update record set "takedownRef" = 'ref'`)
    await index(indexing, [updateEvent(one, follow(carol))])
    expect(await indexing.query('select "takedownRef" as ref from record')).toEqual([{ ref: 'ref' }])
  })

  pgTest('a table that a plugin writes and that is not there is named', async ({ databaseUrl }) => {
    const stray = defineRecordPlugin({
      collection: untypedRecord('test.millrace.stray'),
      table: 'stray',
      toRow: ({ uri }) => ({ uri }),
    })
    await expect(openExample(databaseUrl, { plugins: [...examplePlugins, stray] })).rejects.toThrow(
      'no such table: stray',
    )
  })

  pgTest('and one that does not fit what its plugin says is refused (X7, X8)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.query(`
      create table mood (uri text primary key, cid text, did text, name text, "indexedAt" text);
      create unique index on mood (did) where name is null;
      create unique index on mood (lower(did));
      create unique index on mood (name, did) include (cid)`)
    const open = (uniqueBy: ('did' | 'name')[]) =>
      IndexingService.open({
        database: indexing.database,
        plugins: [
          defineRecordPlugin({
            collection: untypedRecord('test.millrace.mood'),
            table: 'mood',
            toRow: ({ uri, cid, did, indexedAt }) => ({ uri, cid, did, name: '', indexedAt }),
            uniqueBy,
          }),
        ],
      })
    await open(['did', 'name'])
    await expect(open(['did'])).rejects.toThrow(
      'plugin of test.millrace.mood: mood needs a unique index on (did), and on nothing else',
    )
  })
})
