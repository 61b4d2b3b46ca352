import { SEQ_BACKFILL, type AccountEvent } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { describe, expect } from 'vitest'
import { alice, bob, carol, follow, openExample, type ExampleIndexing } from '../example-plugins.testing.ts'
import { createEvent, EVENT_TIME } from '../testing/index.ts'
import { AccountChecker, type AccountCheckerOptions } from './account-checker.ts'
import type { PdsAnswer } from './account-state.ts'

const said = (status: string | null, seq = 10, fields: Partial<AccountEvent> = {}): AccountEvent => ({
  type: 'account',
  seq,
  time: EVENT_TIME,
  did: alice,
  active: status === null,
  ...(status !== null && { status }),
  host: 'relay.test',
  ...fields,
})
const commit = (seq: number) => createEvent({ did: alice, record: follow(bob), seq, host: 'relay.test' })

const open = (databaseUrl: string) => openExample(databaseUrl, { asksAboutAccounts: true })
const status = async ({ query }: ExampleIndexing, did = alice): Promise<unknown> =>
  (await query('select "upstreamStatus" as status from actor where did = $1', did))[0]?.['status']
const records = async ({ query }: ExampleIndexing): Promise<number> => (await query('select uri from record')).length
const waiting = ({ query }: ExampleIndexing) =>
  query<{ did: string }>('select did from millrace_account where next_at is not null order by did')
const dirty = async ({ query }: ExampleIndexing) =>
  (await query<{ did: string; reason: string }>('select did, reason from millrace_dirty order by did')).map(
    ({ did, reason }) => `${did} ${reason}`,
  )

/** PDSs that answer what they are told to, and remember who asked. */
class Hosts {
  readonly asked: string[] = []
  answers = new Map<string, PdsAnswer | Error | Promise<PdsAnswer>>()

  readonly ask = async (did: string): Promise<PdsAnswer> => {
    this.asked.push(did)
    const answer = await (this.answers.get(did) ?? { answer: 'unknown' as const })
    if (answer instanceof Error) throw answer
    return answer
  }

  static saying(answer: PdsAnswer | Error, did = alice): Hosts {
    const hosts = new Hosts()
    hosts.answers.set(did, answer)
    return hosts
  }
}

/** Runs a checker until `holds`, by default until nothing is to be asked or removed. */
async function check(
  indexing: ExampleIndexing,
  hosts: Hosts,
  holds: () => unknown = async () => expect(await waiting(indexing)).toEqual([]),
  options: Partial<AccountCheckerOptions> = {},
): Promise<void> {
  const stop = new AbortController()
  const { database, service } = indexing
  const checker = new AccountChecker({ database, indexing: service, ask: hosts.ask, idleMs: 5, ...options })
  const running = checker.run(stop.signal)
  try {
    await eventually(async () => {
      await holds()
    })
  } finally {
    stop.abort()
    await running
  }
}

describe('an account that a host says is inactive is hidden at once, and its PDS is asked (D9, D12)', () => {
  pgTest('which says the same', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([commit(1), said('deactivated')])
    expect(await status(indexing)).toBe('deactivated')
    const hosts = Hosts.saying({ answer: 'inactive', status: 'deactivated' })
    await check(indexing, hosts)
    expect(hosts.asked).toEqual([alice])
    expect(await status(indexing)).toBe('deactivated')
    expect(await records(indexing)).toBe(1)
    expect(await dirty(indexing)).toEqual([])
  })

  pgTest(
    'which says that it is active: it was a former PDS that spoke, and the account is seen again',
    async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index([said('deactivated')])
      await check(indexing, Hosts.saying({ answer: 'active' }))
      expect(await status(indexing)).toBeNull()
      expect(await dirty(indexing)).toEqual([`${alice} reactivated`])
      expect(await indexing.service.index([commit(11)])).toMatchObject({ outcomes: ['applied'] })
      // The same word again is no news.
      await indexing.service.index([said('deactivated')])
      expect(await status(indexing)).toBeNull()
    },
  )

  pgTest('and nobody waits for it, however long it takes', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    const hosts = new Hosts()
    const { promise, resolve } = Promise.withResolvers<PdsAnswer>()
    hosts.answers.set(alice, promise)
    await check(indexing, hosts, async () => {
      if (hosts.asked.length === 0) await indexing.service.index([said('deactivated')])
      await eventually(() => expect(hosts.asked).toEqual([alice]))
      const others = [createEvent({ did: bob, record: follow(carol) }), said('deactivated', 5, { did: carol })]
      expect(await indexing.service.index([...others, commit(11)])).toMatchObject({
        outcomes: ['applied', 'applied', 'skipped'],
      })
      // Others are asked meanwhile.
      await eventually(() => expect(hosts.asked).toContain(carol))
      resolve({ answer: 'active' })
    })
    await check(indexing, hosts)
    expect(await status(indexing)).toBeNull()
  })

  for (const reason of ['takendown', 'suspended']) {
    pgTest(`but not when it says ${reason}: a relay decides that for itself`, async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index([said(reason)])
      expect([await status(indexing), await waiting(indexing)]).toEqual([reason, []])
      // Nor does the PDS overrule it when it was asked for another reason.
      await indexing.service.index([said('deactivated', 3, { host: 'other.test' })])
      await check(indexing, Hosts.saying({ answer: 'active' }))
      expect(await status(indexing)).toBe(reason)
      await indexing.service.index([said(null, 11)])
      await indexing.query('update millrace_account set next_at = now()')
      await check(indexing, Hosts.saying({ answer: 'active' }))
      expect(await status(indexing)).toBeNull()
    })
  }

  pgTest('which counts until a host has news', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    await check(indexing, Hosts.saying({ answer: 'inactive', status: 'deactivated' }))
    await indexing.service.index([said(null, 11)])
    expect(await status(indexing)).toBeNull()
    await indexing.service.index([said('deactivated', 12)])
    expect(await status(indexing)).toBe('deactivated')
    expect(await waiting(indexing)).toEqual([{ did: alice }])
  })

  pgTest('whose answer is of before, when a host has news while it is asked', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    const hosts = new Hosts()
    const first = Promise.withResolvers<PdsAnswer>()
    hosts.answers.set(alice, first.promise)
    await check(indexing, hosts, async () => {
      expect(hosts.asked).toHaveLength(1)
      await indexing.service.index([said(null, 11)])
      await indexing.service.index([said('deactivated', 12)])
      const second = Promise.withResolvers<PdsAnswer>()
      hosts.answers.set(alice, second.promise)
      first.resolve({ answer: 'active' })
      await eventually(() => expect(hosts.asked).toHaveLength(2))
      expect(await status(indexing)).toBe('deactivated')
      second.resolve({ answer: 'inactive', status: 'suspended' })
      await eventually(async () => expect(await status(indexing)).toBe('suspended'))
    })
  })

  pgTest('when a backfill meets something else than the firehose says', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said(null)])
    await indexing.service.index([said('deactivated', SEQ_BACKFILL, { host: 'pds.test' })])
    expect(await status(indexing)).toBeNull()
    await check(indexing, Hosts.saying({ answer: 'inactive', status: 'deactivated' }))
    expect(await status(indexing)).toBe('deactivated')
  })
})

describe('a PDS that does not answer (D10)', () => {
  const away = new Error('it is away')

  pgTest('changes nothing, and is asked again, later each time', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    const hosts = Hosts.saying(away)
    const row = () =>
      indexing.query(
        "select attempts, last_error as error, next_at > now() as later from millrace_account where next_at < now() + interval '1 hour'",
      )
    await check(indexing, hosts, async () =>
      expect(await row()).toEqual([{ attempts: 1, error: 'it is away', later: true }]),
    )
    expect(await status(indexing)).toBe('deactivated')
    await indexing.query('update millrace_account set next_at = now()')
    await check(indexing, hosts, async () => expect(await row()).toMatchObject([{ attempts: 2 }]))
    hosts.answers.set(alice, { answer: 'active' })
    await indexing.query('update millrace_account set next_at = now()')
    await check(indexing, hosts)
    expect(await status(indexing)).toBeNull()
  })

  pgTest('is left alone for as long as it asks', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    const busy = Object.assign(new Error('busy'), { retryAfterMs: 600_000 })
    await check(indexing, Hosts.saying(busy), async () =>
      expect(
        await indexing.query(
          `select next_at > now() + interval '590 seconds' as later from millrace_account where last_error = 'busy'`,
        ),
      ).toEqual([{ later: true }]),
    )
  })

  pgTest('that was not asked, because it has enough to do, has not failed (D11)', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    const busy = Object.assign(new Error('enough to do'), { retryAfterMs: 5_000, wasAsked: false })
    await check(indexing, Hosts.saying(busy), async () =>
      expect(
        await indexing.query(
          `select attempts, next_at between now() and now() + interval '5 seconds' as soon from millrace_account where last_error is not null`,
        ),
      ).toEqual([{ attempts: 0, soon: true }]),
    )
  })

  pgTest('for a day has nothing to object: what hosts say is final then', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([commit(1), said('deleted')])
    await indexing.query(`update millrace_account set requested_at = now() - interval '23 hours', next_at = now()`)
    await check(indexing, Hosts.saying(away), async () =>
      expect(await indexing.query('select did from millrace_account where last_error is not null')).toHaveLength(1),
    )
    expect([await status(indexing), await records(indexing)]).toEqual(['deleted', 1])
    await indexing.query(`update millrace_account set requested_at = now() - interval '25 hours', next_at = now()`)
    await check(indexing, Hosts.saying(away))
    expect(await records(indexing)).toBe(0)
  })
})

describe('an account that is deleted', () => {
  pgTest('is hidden at once, and removed when its PDS does not know it any more (I23, A6)', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([commit(1), createEvent({ did: bob, record: follow(alice) })])
    await indexing.service.index([said('deleted')])
    expect([await status(indexing), await records(indexing)]).toEqual(['deleted', 2])
    await check(indexing, Hosts.saying({ answer: 'unknown' }))
    expect(await records(indexing)).toBe(1)
    expect(await indexing.query('select did from actor where did = $1', alice)).toEqual([])
    expect(
      await indexing.query(
        'select did, "followersCount" as followers, "followsCount" as follows from profile_agg order by did',
      ),
    ).toEqual([
      { did: alice, followers: 1, follows: 0 },
      { did: bob, followers: 0, follows: 1 },
    ])
    expect(await indexing.service.index([commit(11)])).toMatchObject({ outcomes: ['skipped'] })
  })

  for (const { name, answer, hidden } of [
    { name: 'active', answer: { answer: 'active' } as const, hidden: null },
    { name: 'deactivated', answer: { answer: 'inactive', status: 'deactivated' } as const, hidden: 'deactivated' },
  ]) {
    pgTest(`at a former PDS keeps all it has when its PDS says ${name} (D9)`, async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index([commit(1), said('deleted')])
      await check(indexing, Hosts.saying(answer))
      expect([await status(indexing), await records(indexing)]).toEqual([hidden, 1])
    })
  }

  pgTest('with its DID is removed, whatever hosts say (D8)', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([commit(1), said(null)])
    await indexing.service.askAboutAccounts([alice, alice])
    await check(indexing, Hosts.saying({ answer: 'tombstoned' }))
    expect([await status(indexing), await records(indexing)]).toEqual([undefined, 0])
    // It is not asked about for ever.
    await indexing.service.askAboutAccounts([alice])
    expect(await waiting(indexing)).toEqual([])
    expect(await indexing.service.index([commit(11)])).toMatchObject({ outcomes: ['skipped'] })
  })

  pgTest('is no reason to remove anything while the directory fails (D1, D8)', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([commit(1), said(null)])
    await indexing.service.askAboutAccounts([alice])
    await check(indexing, Hosts.saying(new Error('away')), async () =>
      expect(await indexing.query('select did from millrace_account where last_error is not null')).toHaveLength(1),
    )
    expect([await status(indexing), await records(indexing)]).toEqual([null, 1])
  })

  pgTest(
    'is removed to the end by the next one after a crash, without asking again who is away (A6)',
    async ({ databaseUrl }) => {
      await using indexing = await open(databaseUrl)
      await indexing.service.index([commit(1), said('deleted')])
      const [{ requestedAt }] = (await indexing.query(
        'select requested_at::text as "requestedAt" from millrace_account',
      )) as [{ requestedAt: string }]
      // As a process leaves it that is killed after it has decided.
      expect(await indexing.service.settleAccount(alice, requestedAt, { answer: 'unknown' })).toMatchObject({
        deleted: true,
      })
      expect(await waiting(indexing)).toEqual([{ did: alice }])
      await check(indexing, Hosts.saying(new Error('away')))
      expect(await records(indexing)).toBe(0)
    },
  )

  pgTest('comes back whole when it is active again, and is fetched', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([commit(1), said('deleted')])
    await check(indexing, Hosts.saying({ answer: 'unknown' }))
    await indexing.service.index([said(null, 11)])
    expect(await dirty(indexing)).toEqual([`${alice} reactivated`])
    expect(await indexing.service.index([commit(12)])).toMatchObject({ outcomes: ['applied'] })
    expect(await status(indexing)).toBeNull()
  })
})

describe('a commit of an account that we hold inactive (I23)', () => {
  pgTest('has its PDS asked, once in an hour: statuses get stuck', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    const hosts = Hosts.saying({ answer: 'inactive', status: 'deactivated' })
    await check(indexing, hosts)
    await indexing.service.index([commit(11), commit(12)])
    await indexing.service.index([commit(13)])
    const next = `select next_at > now() + interval '59 minutes' as later, next_at < now() + interval '61 minutes' as soon from millrace_account`
    expect(await indexing.query(next)).toEqual([{ later: true, soon: true }])
    await indexing.query('update millrace_account set next_at = now()')
    hosts.answers.set(alice, { answer: 'active' })
    await check(indexing, hosts)
    expect(hosts.asked).toHaveLength(2)
    expect(await status(indexing)).toBeNull()
    expect(await dirty(indexing)).toEqual([`${alice} reactivated`])
  })

  pgTest('that was sent before it was inactive says nothing', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    await check(indexing, Hosts.saying({ answer: 'inactive', status: 'deactivated' }))
    await indexing.service.index([commit(9)])
    expect(await waiting(indexing)).toEqual([])
  })

  pgTest('has one asked about that only a backfill could not get', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated', SEQ_BACKFILL, { host: 'pds.test' })])
    expect(await waiting(indexing)).toEqual([])
    await indexing.service.index([commit(11)])
    await check(indexing, Hosts.saying({ answer: 'active' }))
    expect(await status(indexing)).toBeNull()
  })
})

describe('the queue', () => {
  pgTest('is shared by several, and each account is asked about once', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    const dids = Array.from({ length: 30 }, (_, i) => `did:plc:account${i}`)
    await indexing.service.index(dids.map((did) => said('deactivated', 10, { did })))
    const hosts = new Hosts()
    let now = 0
    let most = 0
    const ask = async (did: string): Promise<PdsAnswer> => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
      return hosts.ask(did)
    }
    const options = { concurrency: 3, ask }
    await Promise.all([check(indexing, hosts, undefined, options), check(indexing, hosts, undefined, options)])
    expect(hosts.asked.toSorted()).toEqual(dids.toSorted())
    expect(most).toBeLessThanOrEqual(6)
  })

  pgTest('keeps a question that was taken by somebody who is killed', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    const never = new Hosts()
    never.answers.set(alice, new Promise<PdsAnswer>(() => undefined))
    const stop = new AbortController()
    const { database, service } = indexing
    void new AccountChecker({ database, indexing: service, ask: never.ask, idleMs: 5 }).run(stop.signal)
    await eventually(() => expect(never.asked).toEqual([alice]))
    stop.abort()
    expect(
      await indexing.query(`select next_at > now() + interval '50 seconds' as leased from millrace_account`),
    ).toEqual([{ leased: true }])
    await indexing.query('update millrace_account set next_at = now()')
    await check(indexing, Hosts.saying({ answer: 'active' }))
    expect(await status(indexing)).toBeNull()
  })

  pgTest('waits while the database is away, and the loop goes on (G11)', async ({ databaseUrl }) => {
    await using indexing = await open(databaseUrl)
    await indexing.service.index([said('deactivated')])
    await indexing.query('alter table millrace_account rename to away')
    const hosts = Hosts.saying({ answer: 'active' })
    let isBack = false
    await check(indexing, hosts, async () => {
      if (!isBack) {
        expect(hosts.asked).toEqual([])
        await indexing.query('alter table away rename to millrace_account')
        isBack = true
      }
      expect(await status(indexing)).toBeNull()
    })
  })
})
