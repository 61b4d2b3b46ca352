import { SEQ_BACKFILL, type StreamEvent } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, follow, openExample, quote, type ExampleIndexing } from './example-plugins.testing.ts'
import { directory, handles, hear, pending, refresh, requests, resultMeter } from './handle-refresher.testing.ts'
import type { LookUpOptions, ResolveHandle } from './handle-refresher.ts'
import { cidOf, createEvent, EVENT_TIME, nextRev, updateEvent } from './testing/index.ts'

const HOUR = 3_600
const DAY = 24 * HOUR

/** Remembers what was asked, and how. */
function recording(resolve: ResolveHandle) {
  const asked: { did: string; fresh: boolean; patient: boolean }[] = []
  const recorded: ResolveHandle = async (did, options: LookUpOptions) => {
    asked.push({ did, fresh: options.fresh, patient: options.patient })
    return await resolve(did, options)
  }
  return { asked, resolve: recorded }
}

/** Requests of one kind for accounts `did:plc:<prefix><i>`, due since so many seconds. */
async function request(
  { query }: ExampleIndexing,
  prefix: string,
  count: number,
  kind: 'forced' | 'fresh' | 'again',
): Promise<void> {
  await query(
    `insert into millrace_identity (did, forced, checked_at, next_at)
     select 'did:plc:' || $1 || i, $3 = 'forced', case when $3 = 'again' then now() end, now() - interval '1 hour'
     from generate_series(1, $2::int) as i`,
    prefix,
    count,
    kind,
  )
}

/** Longer than any look-up here would take to begin. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 60))

describe('an account has a row and a look-up from the first that is heard of it (D3)', () => {
  const of = createEvent({ did: alice, record: follow(bob) })
  const repo = { type: 'repo', time: EVENT_TIME, did: alice, commit: cidOf('commit'), rev: nextRev() } as const
  for (const { name, event } of [
    { name: 'an update', event: updateEvent(of, follow(bob)) },
    { name: 'a record that is invalid', event: createEvent({ did: alice, record: { $type: quote('').$type } }) },
    { name: 'the end of its repo', event: { ...repo, seq: SEQ_BACKFILL } },
    { name: 'a commit without operations', event: { ...repo, seq: 1 } },
    { name: 'a state of its repo that we do not have', event: { ...repo, seq: 1, sync: true, data: cidOf('tree') } },
    { name: 'that it is inactive', event: { type: 'account', seq: 1, time: EVENT_TIME, did: alice, active: false } },
  ] satisfies { name: string; event: StreamEvent }[]) {
    pgTest(name, async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await indexing.service.index([event])
      expect(await handles(indexing)).toEqual({ [alice]: null })
      expect(await requests(indexing)).toMatchObject([{ did: alice, due: true }])
    })
  }
})

describe('when a handle is looked at again (D4)', () => {
  pgTest('a verified one a day later, more or less, without any event', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.service.index([createEvent({ did: alice, record: follow(bob) })])
    const { asked, resolve } = recording(directory({ [alice]: 'alice.test' }))
    await refresh(indexing, resolve, async () => expect(await pending(indexing)).toBe(0))
    const [next] = await requests(indexing)
    expect(next).toMatchObject({ attempts: 0, forced: false })
    expect(next!.wait).toBeGreaterThan(0.75 * DAY - 60)
    expect(next!.wait).toBeLessThan(1.25 * DAY)

    await indexing.query('update millrace_identity set next_at = now()')
    const later = recording(directory({ [alice]: 'moved.test' }))
    await refresh(indexing, later.resolve, async () =>
      expect(await handles(indexing)).toEqual({ [alice]: 'moved.test' }),
    )
    // What a new account is known by may be used; a second look asks the network.
    expect([...asked, ...later.asked]).toEqual([
      { did: alice, fresh: false, patient: true },
      { did: alice, fresh: true, patient: true },
    ])
  })

  pgTest('one that does not hold after an hour, then later each time, a day at most', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      await indexing.query('update millrace_identity set next_at = now()')
      await refresh(indexing, directory({}), async () => expect((await requests(indexing))[0]?.due).toBe(false))
      const [next] = await requests(indexing)
      expect(next!.wait).toBeGreaterThan(0.75 * hours * HOUR - 60)
      expect(next!.wait).toBeLessThan(1.25 * hours * HOUR)
    }
    // An event begins it anew, and so does a handle that holds.
    await hear(indexing, alice)
    await refresh(indexing, directory({}), async () => expect(await pending(indexing)).toBe(0))
    expect((await requests(indexing))[0]).toMatchObject({ attempts: 1 })
  })

  pgTest('never, where that is not wanted', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice, bob)
    await refresh(indexing, directory({ [alice]: 'alice.test' }), async () => expect(await pending(indexing)).toBe(0), {
      recheckMs: Number.POSITIVE_INFINITY,
    })
    expect(await indexing.query(`select count(*) as count from millrace_identity where next_at = 'infinity'`)).toEqual([
      { count: 2 },
    ])
  })

  pgTest('accounts that another pipeline has left are taken in', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await indexing.query(`insert into actor (did, handle, "indexedAt") values ($1, 'old.test', '2026')`, alice)
    await indexing.query(
      `delete from millrace_migration where name like '%handle-schedule';
       drop index millrace_identity_forced_idx, millrace_identity_new_idx, millrace_identity_again_idx;
       create index millrace_identity_next_at_idx on millrace_identity (next_at);
       alter table millrace_identity drop column quiet_until, drop column asked_at, drop column checked_at, drop column burst`,
    )
    await using again = await openExample(databaseUrl)
    const [next] = await requests(again)
    expect(next).toMatchObject({ did: alice, forced: false })
    expect(next!.wait).toBeLessThan(DAY)
  })
})

describe('a flood of events about one account (D4, F78)', () => {
  pgTest('is one look-up, and one more when its pause is over', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const { asked, resolve } = recording(directory({ [alice]: 'alice.test' }))
    const flood = async (): Promise<void> => {
      await hear(indexing, alice)
      // What comes before the first look-up is answered by it.
      await eventually(() => expect(asked).toHaveLength(1))
      for (let batch = 0; batch < 20; batch++) await hear(indexing, ...Array.from({ length: 50 }, () => alice))
      await aWhile()
    }
    await refresh(indexing, resolve, flood, { quiet: { minMs: HOUR * 1_000, maxMs: DAY * 1_000 } })
    expect(asked).toHaveLength(1)
    const [next] = await requests(indexing)
    expect(next).toMatchObject({ forced: true, due: false })
    expect(next!.wait).toBeGreaterThan(HOUR - 60)
    expect(next!.wait).toBeLessThan(HOUR + 60)
    // The last of them is answered in the end.
    await indexing.query('update millrace_identity set next_at = now()')
    await refresh(indexing, resolve, async () => expect(await pending(indexing)).toBe(0))
    expect(asked).toHaveLength(2)
  })

  pgTest('has pauses that grow while it lasts', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      await indexing.query('update millrace_identity set quiet_until = now()')
      await hear(indexing, alice)
      await refresh(indexing, directory({}), async () => expect(await pending(indexing)).toBe(0), {
        quiet: { minMs: 10_000, maxMs: 100_000 },
      })
      const [row] = await indexing.query<{ pause: number }>(
        'select extract(epoch from quiet_until - asked_at)::float8 as pause from millrace_identity',
      )
      pauses.push(row!.pause)
    }
    expect(pauses).toEqual([10, 20, 40, 80, 100, 100])
    // It is over when nothing was heard for longer than that.
    await indexing.query(`update millrace_identity set quiet_until = now(), asked_at = now() - interval '201 seconds'`)
    await hear(indexing, alice)
    await refresh(indexing, directory({}), async () => expect(await pending(indexing)).toBe(0))
    expect(await indexing.query('select burst from millrace_identity')).toEqual([{ burst: 0 }])
  })
})

describe('look-ups of many accounts', () => {
  pgTest('are no more in a second than allowed, each kind with its share (D4)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    for (const kind of ['forced', 'fresh', 'again'] as const) await request(indexing, kind, 30, kind)
    const { asked, resolve } = recording(directory({}))
    await refresh(
      indexing,
      resolve,
      async () => {
        expect(asked.length).toBeGreaterThanOrEqual(12)
        await aWhile()
      },
      { perSecond: 12, now: () => 0 },
    )
    const kinds = asked.map(({ did }) => did.replace(/did:plc:(\w+?)\d+/, '$1')).sort()
    // A tenth of 12 is one second look.
    expect(kinds).toEqual(
      ['again', ...Array.from({ length: 4 }, () => 'fresh'), ...Array.from({ length: 7 }, () => 'forced')].sort(),
    )
  })

  pgTest('leave what one kind does not need to the others', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await request(indexing, 'fresh', 30, 'fresh')
    await request(indexing, 'again', 30, 'again')
    const { asked, resolve } = recording(directory({}))
    await refresh(
      indexing,
      resolve,
      async () => {
        expect(asked.length).toBeGreaterThanOrEqual(20)
        await aWhile()
      },
      { perSecond: 20, now: () => 0 },
    )
    expect(asked.filter(({ did }) => did.includes('fresh'))).toHaveLength(18)
    expect(asked).toHaveLength(20)
  })

  pgTest('go on beside one that never ends: it holds its own place (S16)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await request(indexing, 'slow', 1, 'forced')
    await request(indexing, 'quick', 40, 'fresh')
    const resolve: ResolveHandle = (did) =>
      did.includes('slow') ? new Promise(() => undefined) : Promise.resolve(null)
    await refresh(indexing, resolve, async () => expect(await pending(indexing)).toBe(1), { concurrency: 2 })
    expect(await requests(indexing)).toContainEqual(expect.objectContaining({ did: 'did:plc:slow1', due: true }))
  })

  pgTest('end after a while, as failures (D11)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    const never: ResolveHandle = () => new Promise(() => undefined)
    const noted = async (): Promise<void> =>
      expect(await indexing.query('select attempts, last_error as error from millrace_identity')).toEqual([
        { attempts: 1, error: expect.stringContaining('timeout') },
      ])
    await refresh(indexing, never, noted, { timeoutMs: 20 })
  })

  pgTest('wait as long as a host asks for', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    const busy = Object.assign(new Error('status 429'), { retryAfterMs: 5 * HOUR * 1_000 })
    await refresh(
      indexing,
      () => Promise.reject(busy),
      async () => expect(await requests(indexing)).toMatchObject([{ attempts: 1, due: false }]),
    )
    expect((await requests(indexing))[0]!.wait).toBeGreaterThan(5 * HOUR - 60)
  })

  pgTest('have not failed when nobody was asked: they have their turn', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    const meter = resultMeter()
    const busy = Object.assign(new Error('it has enough to do'), { retryAfterMs: HOUR * 1_000, wasAsked: false })
    await refresh(
      indexing,
      () => Promise.reject(busy),
      async () => expect(await requests(indexing)).toMatchObject([{ attempts: 0, due: false, forced: true }]),
      { meter },
    )
    expect((await requests(indexing))[0]!.wait).toBeLessThan(HOUR + 60)
    expect(meter.results).toMatchObject({ postponed: 1, failed: 0 })
    // An event does not wait for that turn.
    await hear(indexing, alice)
    expect((await requests(indexing))[0]).toMatchObject({ due: true })
  })

  pgTest('hold up no record, however many wait and however slow they are (D12, T19)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await request(indexing, 'fresh', 100_000, 'fresh')
    let asked = 0
    const never: ResolveHandle = () => {
      asked++
      return new Promise(() => undefined)
    }
    const goOn = async (): Promise<void> => {
      expect(asked).toBe(7)
      const event = createEvent({ did: alice, record: follow(bob) })
      expect((await indexing.service.index([event])).outcomes).toEqual(['applied'])
      await hear(indexing, alice)
      await aWhile()
      // All places are taken, and the rest waits in the table: no more is asked, nor held in memory.
      expect(asked).toBe(7)
      expect(await pending(indexing)).toBe(100_000)
    }
    await refresh(indexing, never, goOn, { concurrency: 7, perSecond: 1_000 })
  })
})
