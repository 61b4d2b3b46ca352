import type { Database } from '@millrace/database'
import { pgTest } from '@millrace/testing'
import type { Pool, PoolClient } from 'pg'
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
import { pluginMap } from '../plugin.ts'
import { readTableShapes } from '../table-shape.ts'
import { createEvent, EVENT_TIME, readTables, snapshotEvents } from '../testing/index.ts'
import { removeAccount } from './remove-account.ts'

const rowTables =
  'record follow starter_pack quote post_embed_record duplicate_record notification actor profile_agg post_agg millrace_tombstone'.split(
    ' ',
  )
const bookkeeping =
  'millrace_account millrace_account_status millrace_identity millrace_repo millrace_dirty actor_sync'.split(' ')
const word = { type: 'account', seq: 10, time: EVENT_TIME, did: alice, active: false, status: 'deleted' } as const
const ofAlice = [
  ...[bob, carol, 'did:plc:dan'].map((subject) => createEvent({ did: alice, record: follow(subject) })),
  createEvent({ did: alice, record: follow(bob, { again: true }) }),
  createEvent({ did: alice, record: quote(`at://${bob}/test.c/1`) }),
  createEvent({ did: alice, record: quote(`at://${carol}/test.c/2`) }),
  createEvent({ did: alice, record: { $type: 'test.millrace.other' } }),
]
const ofOthers = [
  createEvent({ did: bob, record: follow(alice) }),
  createEvent({ did: carol, record: follow(bob) }),
  createEvent({ did: carol, record: quote(`at://${bob}/test.c/1`) }),
]

/** What counting the rows gives, against what is stored. */
async function expectExactCounts({ query }: ExampleIndexing): Promise<void> {
  expect(
    await query(`
      select 'follows' as what, did as subject from profile_agg a
        where "followsCount" <> (select count(*) from follow where creator = a.did)
      union all select 'followers', did from profile_agg a
        where "followersCount" <> (select count(*) from follow where "subjectDid" = a.did)
      union all select 'quotes', uri from post_agg a
        where "quoteCount" <> (select count(*) from quote where subject = a.uri)`),
  ).toEqual([])
}

/** Rows of each, without the zeros that counting leaves. */
async function rowsOf({ database }: ExampleIndexing) {
  const rows = await readTables(database, rowTables, { notification: ['id'] })
  for (const table of ['profile_agg', 'post_agg'])
    rows[table] = rows[table]!.filter((row) =>
      Object.values(row).some((value) => typeof value === 'number' && value !== 0),
    )
  return rows
}

async function removalOptions({ database }: ExampleIndexing) {
  const shapes = await readTableShapes(database.pool, rowTables)
  return {
    shapes,
    plugins: pluginMap(examplePlugins),
    did: alice,
    now: EVENT_TIME,
    isNews: () => true,
    chunk: 2,
    pool: database.pool,
  }
}

/** A pool whose server ends the connection at the nth statement from now on. */
function cutAt(database: Database, n: number): { pool: Pool; wasCut: () => boolean } {
  let sent = 0
  // What is sent after the cut waits for it, or it would overtake the statement that was cut: a `begin`, at worst.
  let cutting: Promise<unknown> | undefined
  const watch = (client: PoolClient): PoolClient =>
    new Proxy(client, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown
        if (typeof value !== 'function') return value
        if (name !== 'query') return value.bind(target) as unknown
        return (...args: Parameters<typeof target.query>) => {
          const query = () => (target.query as (...args: unknown[]) => Promise<unknown>)(...args)
          if (++sent !== n) return cutting ? cutting.then(query) : query()
          const { processID } = target as unknown as { processID: number }
          cutting = database.pool.query('select pg_terminate_backend($1)', [processID])
          return cutting.then(query)
        }
      },
    })
  const connect = async (): Promise<PoolClient> => watch(await database.pool.connect())
  return { pool: Object.assign(Object.create(database.pool) as Pool, { connect }), wasCut: () => sent >= n }
}

describe('the removal of an account', () => {
  pgTest(
    'is exact wherever it was killed, and the next one takes up the rest (A6)',
    { timeout: 300_000 },
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl, { asksAboutAccounts: true })
      const options = await removalOptions(indexing)
      await indexing.service.index(ofOthers)
      const withoutAlice = await rowsOf(indexing)

      let cuts = 0
      for (let n = 1; ; n++) {
        await indexing.query(`truncate ${[...rowTables, ...bookkeeping].join(', ')}`)
        await indexing.service.index([...ofOthers, ...ofAlice])
        await indexing.service.index([word])
        await indexing.query('update millrace_account set deleted = true')

        const { pool, wasCut } = cutAt(indexing.database, n)
        const failure = await removeAccount({ ...options, pool }).catch((error: Error) => error)
        if (!wasCut()) break
        cuts++
        expect(failure).toBeInstanceOf(Error)
        await expectExactCounts(indexing)
        // It is in the queue still, for whoever comes next.
        expect(await indexing.query('select did from millrace_account where next_at is not null')).toEqual([
          { did: alice },
        ])

        await removeAccount(options)
        await expectExactCounts(indexing)
        expect({ n, rows: await rowsOf(indexing) }).toEqual({ n, rows: withoutAlice })
        expect(await indexing.query('select did from millrace_account where next_at is not null')).toEqual([])
      }
      // Begin, statements and commit of four chunks, and of the end.
      expect(cuts).toBeGreaterThan(40)
    },
  )

  pgTest(
    'stops where it is when the account comes back, and leaves nothing that would keep it out',
    async ({ databaseUrl }) => {
      await using indexing = await openExample(databaseUrl, { asksAboutAccounts: true })
      await indexing.service.index(ofAlice)
      await indexing.service.index([word])
      await indexing.query('update millrace_account set deleted = true')
      const stop = new AbortController()
      stop.abort()
      const options = await removalOptions(indexing)
      expect(await removeAccount({ ...options, signal: stop.signal })).toMatchObject({ removed: 2 })
      await indexing.service.index([{ ...word, seq: 11, active: true }])
      expect(await removeAccount(options)).toMatchObject({ removed: 0 })
      expect(await indexing.query('select count(*) as count from record')).toEqual([{ count: ofAlice.length - 2 }])
      // Its repo is fetched again, and has the same revision as before.
      await indexing.service.index(snapshotEvents(ofAlice, ofAlice.at(-1)!.rev))
      expect(await indexing.query('select count(*) as count from record')).toEqual([{ count: ofAlice.length }])
      await expectExactCounts(indexing)
    },
  )
})
