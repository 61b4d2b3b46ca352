import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, carol, openExample } from './example-plugins.testing.ts'
import { directory, handles, hear, pending, refresh, requests, resultMeter } from './handle-refresher.testing.ts'
import type { ResolveHandle } from './handle-refresher.ts'
import { EVENT_TIME } from './testing/index.ts'

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
      expect(first?.wait).toBeLessThan(11)

      await indexing.query('update millrace_identity set next_at = now(), attempts = 13, last_error = null')
      await refresh(indexing, failing, async () =>
        expect(await request()).toMatchObject([{ error: 'no answer from plc.test', attempts: 14 }]),
      )
      const [late] = await request()
      expect(late?.wait).toBeGreaterThan(30_000)
      expect(late?.wait).toBeLessThan(86_460)
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

describe('handles that change hands while several processes look them up (D5)', () => {
  pgTest('end as they are verified, whoever was first', { timeout: 60_000 }, async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await using other = await openExample(databaseUrl)
    const dids = [alice, bob, carol, ...Array.from({ length: 5 }, (_, i) => `did:plc:account${i}`)]
    /** Whose each handle is: nobody's at first. */
    const owners = new Map<string, string>()
    // Both directions, read at different moments: what it says may be old before it is stored.
    const resolve: ResolveHandle = async (did) => {
      const [handle = null] = [...owners].find(([, owner]) => owner === did) ?? []
      await new Promise((wait) => setTimeout(wait, Math.random() * 4))
      return handle
    }
    const settled = async (): Promise<void> => {
      expect(await pending(indexing)).toBe(0)
      const expected = Object.fromEntries(dids.map((did) => [did, null as string | null]))
      for (const [handle, did] of owners) expected[did] = handle
      expect(await handles(indexing)).toEqual(expected)
    }
    const rounds = async (): Promise<void> => {
      for (let round = 0; round < 12; round++) {
        // Swaps, rings and claims of what another one has just now: a permutation, of which somebody hears in parts.
        const names = dids.map((_, i) => `h${(i * 5 + round * 3) % dids.length}.test`)
        owners.clear()
        for (const [i, name] of names.entries()) if ((i + round) % 4 !== 0) owners.set(name, dids[i]!)
        await Promise.all([hear(indexing, ...dids.slice(0, 5)), hear(other, ...dids.slice(3))])
        if (round % 4 === 3) await eventually(settled)
      }
    }
    await refresh(indexing, resolve, () => refresh(other, resolve, rounds))
    await refresh(indexing, resolve, settled)
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
    const held = Promise.withResolvers<string | null>()
    let asked = 0
    const holding: ResolveHandle = () => {
      asked++
      return held.promise
    }
    const meter = resultMeter()
    const beTaken = async (): Promise<void> => {
      expect(asked).toBe(1)
      // It is ours for a while: nobody else asks, and events in the meantime lead to no second look-up beside it (D4).
      await hear(indexing, alice)
      const [leased] = await requests(indexing)
      expect(leased).toMatchObject({ due: false })
      expect(leased!.wait).toBeGreaterThan(15)
      // Its time is over, and the other process is faster: what comes then is older, and dropped.
      await indexing.query('update millrace_identity set next_at = now(), quiet_until = now()')
      await refresh(indexing, directory({ [alice]: 'new.test' }), async () =>
        expect(await handles(indexing)).toEqual({ [alice]: 'new.test' }),
      )
      held.resolve('old.test')
      await eventually(() => expect(meter.results).toMatchObject({ verified: 1 }))
    }
    await refresh(indexing, holding, beTaken, { meter })
    expect(await handles(indexing)).toEqual({ [alice]: 'new.test' })
  })

  pgTest('is given back at once by a process that is stopped in order', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    let asked = 0
    const never: ResolveHandle = () => {
      asked++
      return new Promise(() => undefined)
    }
    await refresh(indexing, never, async () => expect(asked).toBe(1))
    expect(await requests(indexing)).toMatchObject([{ did: alice, due: true, attempts: 0 }])
  })

  pgTest('of an account that is deleted meanwhile has no effect', async ({ databaseUrl }) => {
    await using indexing = await openExample(databaseUrl)
    await hear(indexing, alice)
    await indexing.query(`update actor set "takedownRef" = 'kept by moderation'`)
    let asked = 0
    const resolve: ResolveHandle = async () => {
      if (++asked === 1)
        await indexing.service.index([
          { type: 'account', seq: 2, time: EVENT_TIME, did: alice, active: false, status: 'deleted' },
        ])
      return 'alice.test'
    }
    await refresh(indexing, resolve, async () => {
      expect(asked).toBe(1)
      expect(await requests(indexing)).toEqual([])
    })
    expect(await handles(indexing)).toEqual({ [alice]: null })
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
    await refresh(indexing, resolve, async () => expect(await pending(indexing)).toBe(0), { concurrency: 3 })
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
    let isBack = false
    await refresh(indexing, resolve, async () => {
      if (!isBack) {
        await indexing.query('select pg_sleep(0.05)')
        expect(asked).toBe(0)
        await indexing.query('alter table away rename to millrace_identity')
        isBack = true
      }
      expect(await handles(indexing)).toEqual({ [alice]: 'alice.test' })
    })
  })
})
