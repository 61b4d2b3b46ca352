import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, carol, openExample, type ExampleIndexing } from './example-plugins.testing.ts'
import { HandleRefresher, type ResolveHandle } from './handle-refresher.ts'
import { EVENT_TIME } from './testing/index.ts'

/** Runs a refresher over these requests until `holds`, and stops it. */
async function refresh(
  { database }: ExampleIndexing,
  resolve: ResolveHandle,
  holds: () => Promise<void>,
  concurrency = 10,
): Promise<void> {
  const stop = new AbortController()
  const running = new HandleRefresher({ database, resolve, idleMs: 10, concurrency }).run(stop.signal)
  try {
    await eventually(holds)
  } finally {
    stop.abort()
    await running
  }
}

async function hear({ service }: ExampleIndexing, ...dids: string[]): Promise<void> {
  await service.index(dids.map((did) => ({ type: 'identity', seq: 1, time: EVENT_TIME, did }) as const))
}

const handles = async ({ query }: ExampleIndexing) =>
  Object.fromEntries(
    (await query<{ did: string; handle: string | null }>('select did, handle from actor')).map(({ did, handle }) => [
      did,
      handle,
    ]),
  )
const pending = ({ database }: ExampleIndexing) =>
  new HandleRefresher({ database, resolve: async () => null }).pending()

/** A directory that says whose a handle is now. */
const directory =
  (known: { [did: string]: string | null }): ResolveHandle =>
  async (did) =>
    known[did] ?? null

describe('a handle', () => {
  pgTest('is stored when it is verified, and is none when it is not (D2)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice, bob)
    await refresh(indexing, directory({ [alice]: 'alice.test' }), async () => expect(await pending(indexing)).toBe(0))
    expect(await handles(indexing)).toEqual({ [alice]: 'alice.test', [bob]: null })
    await hear(indexing, alice)
    await refresh(indexing, directory({}), async () => expect(await pending(indexing)).toBe(0))
    expect(await handles(indexing)).toEqual({ [alice]: null, [bob]: null })
  })

  pgTest(
    'stays when it cannot be told now, and is asked for again, later each time (D1, D4)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await hear(indexing, alice)
      await refresh(indexing, directory({ [alice]: 'alice.test' }), async () => expect(await pending(indexing)).toBe(0))
      await hear(indexing, alice)
      const failing: ResolveHandle = () => Promise.reject(new Error('no answer from plc.test'))
      const request = () =>
        indexing.query<{ attempts: number; error: string; wait: number }>(
          `select attempts, last_error as error, extract(epoch from next_at - now())::float8 as wait from millrace_identity`,
        )
      await refresh(indexing, failing, async () =>
        expect(await request()).toMatchObject([{ error: 'no answer from plc.test' }]),
      )
      expect(await handles(indexing)).toEqual({ [alice]: 'alice.test' })
      const [first] = await request()
      expect(first).toMatchObject({ attempts: 1 })
      // 5 s doubled once, of which at least half; it was set moments ago.
      expect(first?.wait).toBeGreaterThan(3)
      expect(first?.wait).toBeLessThanOrEqual(10)

      await indexing.query('update millrace_identity set next_at = now(), attempts = 13, last_error = null')
      await refresh(indexing, failing, async () =>
        expect(await request()).toMatchObject([{ error: 'no answer from plc.test', attempts: 14 }]),
      )
      const [late] = await request()
      expect(late?.wait).toBeGreaterThan(30_000)
      expect(late?.wait).toBeLessThanOrEqual(86_400)
    },
  )

  pgTest(
    'that moves to another account leaves the one that had it, which is asked anew (D5)',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl)
      await hear(indexing, alice)
      await refresh(indexing, directory({ [alice]: 'shop.test' }), async () => expect(await pending(indexing)).toBe(0))
      await hear(indexing, bob)
      const asked: string[] = []
      const resolve: ResolveHandle = async (did) => {
        asked.push(did)
        return did === bob ? 'shop.test' : 'alice.test'
      }
      await refresh(indexing, resolve, async () =>
        expect(await handles(indexing)).toEqual({ [alice]: 'alice.test', [bob]: 'shop.test' }),
      )
      expect(asked).toEqual([bob, alice])
    },
  )

  pgTest('that two accounts swap ends with both as they are verified (D5)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice, bob, carol)
    await refresh(indexing, directory({ [alice]: 'a.test', [bob]: 'b.test', [carol]: 'c.test' }), async () =>
      expect(await pending(indexing)).toBe(0),
    )
    for (const now of [
      { [alice]: 'b.test', [bob]: 'a.test', [carol]: 'c.test' },
      { [alice]: 'c.test', [bob]: 'b.test', [carol]: 'a.test' },
      { [alice]: 'a.test', [bob]: 'c.test', [carol]: 'b.test' },
    ]) {
      await hear(indexing, alice, bob, carol)
      await refresh(indexing, directory(now), async () =>
        expect({ handles: await handles(indexing), pending: await pending(indexing) }).toEqual({
          handles: now,
          pending: 0,
        }),
      )
    }
  })
})

describe('a request to look up a handle', () => {
  pgTest('that comes while the one before is answered is answered as well', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    let asked = 0
    const resolve: ResolveHandle = async () => {
      if (++asked === 1) await hear(indexing, alice)
      return asked === 1 ? 'old.test' : 'new.test'
    }
    await refresh(indexing, resolve, async () => expect(await handles(indexing)).toEqual({ [alice]: 'new.test' }))
  })

  pgTest('is taken by one process, and by another one when that is killed over it (D12)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    let asked = 0
    const never: ResolveHandle = (_did, signal) => {
      asked++
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    }
    await refresh(indexing, never, async () => expect(asked).toBe(1))
    // It is ours for a while: nobody else asks.
    expect(
      await indexing.query(`select next_at > now() + interval '20 seconds' as leased, attempts from millrace_identity`),
    ).toEqual([{ leased: true, attempts: 1 }])
    await indexing.query(`update millrace_identity set next_at = now()`)
    await refresh(indexing, directory({ [alice]: 'alice.test' }), async () =>
      expect(await handles(indexing)).toEqual({ [alice]: 'alice.test' }),
    )
  })

  pgTest('is one of many, and no more are asked at once than allowed', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    const many = Array.from({ length: 20 }, (_, i) => `did:plc:account${i}`)
    await hear(indexing, ...many)
    let now = 0
    let most = 0
    const resolve: ResolveHandle = async (did) => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
      return `${did.slice('did:plc:'.length)}.test`
    }
    await refresh(indexing, resolve, async () => expect(await pending(indexing)).toBe(0), 3)
    expect(most).toBeLessThanOrEqual(3)
    expect(Object.values(await handles(indexing)).filter((handle) => handle !== null)).toHaveLength(20)
  })

  pgTest('waits while the database is away, and the loop goes on (G11)', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    await indexing.query('alter table millrace_identity rename to away')
    let asked = 0
    const resolve: ResolveHandle = async () => {
      asked++
      return 'alice.test'
    }
    const stop = new AbortController()
    const running = new HandleRefresher({ database: indexing.database, resolve, idleMs: 5 }).run(stop.signal)
    await indexing.query('select pg_sleep(0.05)')
    expect(asked).toBe(0)
    await indexing.query('alter table away rename to millrace_identity')
    await eventually(async () => expect(await handles(indexing)).toEqual({ [alice]: 'alice.test' }))
    stop.abort()
    await running
  })
})
