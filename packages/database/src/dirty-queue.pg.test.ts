import type { Batch, BackfillEvent } from '@millrace/stream-protocol'
import { eventually, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { DirtyQueue, type DirtyQueueOptions } from './dirty-queue.ts'
import { PostgresLedger } from './ledger.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  return database
}

const queue = (database: Database, options: Partial<DirtyQueueOptions> = {}): DirtyQueue =>
  new DirtyQueue({ database, hostUrl: (host) => `https://${host}`, idleMs: 5, ...options })

const query = async (database: Database, sql: string): Promise<void> => void (await database.pool.query(sql))

/** The batches of a fresh run, up to `count`; fewer when no more came in time. */
async function batches(source: DirtyQueue, count = 1, withinMs = 20_000): Promise<Batch<BackfillEvent>[]> {
  const stop = AbortSignal.timeout(withinMs)
  const found: Batch<BackfillEvent>[] = []
  for await (const batch of source.batches(stop)) {
    found.push(batch)
    if (found.length === count) break
  }
  return found
}
const didsOf = (batch: Batch<BackfillEvent> | undefined): string[] => batch?.entries.map(({ event }) => event.did) ?? []

pgTest('serves people first, then what a firehose has lost, then repairs (B17)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await query(
    database,
    `insert into millrace_dirty (did, reason, priority, next_at) values
      ('did:plc:repair', 'repair', 2, now() - interval '3 hours'), ('did:plc:live', 'sync', 1, now() - interval '2 hours'),
      ('did:plc:user', 'asked', 0, now()), ('did:plc:later', 'sync', 0, now() + interval '1 hour')`,
  )
  const found = await batches(queue(database, { batchSize: 1 }), 3)
  expect(found.flatMap(didsOf)).toEqual(['did:plc:user', 'did:plc:live', 'did:plc:repair'])
})

pgTest(
  'keeps what is at work for as long as that takes, and no longer once its reader is gone (S6)',
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl)
    await query(
      database,
      `insert into millrace_dirty (did, reason) values ('did:plc:slow', 'sync'), ('did:plc:wanted', 'sync')`,
    )
    const dueOf = async (did: string): Promise<number> => {
      const { rows } = await database.pool.query<{ due: number }>(
        'select extract(epoch from next_at)::float8 as due from millrace_dirty where did = $1',
        [did],
      )
      return rows[0]!.due
    }
    const stop = new AbortController()
    const reading = queue(database, { leaseMs: 4_000, batchSize: 2 }).batches(stop.signal)
    expect(didsOf((await reading.next()).value as Batch<BackfillEvent>)).toHaveLength(2)
    const due = await dueOf('did:plc:slow')
    // Somebody asks for one of them at once.
    await query(
      database,
      `update millrace_dirty set next_at = now() - interval '1 second' where did = 'did:plc:wanted'`,
    )
    const wanted = await dueOf('did:plc:wanted')
    await eventually(async () => expect(await dueOf('did:plc:slow')).toBeGreaterThan(due))
    expect(await dueOf('did:plc:wanted')).toBe(wanted)
    stop.abort()
    await reading.return(undefined)
    expect((await batches(queue(database))).flatMap(didsOf)).toContain('did:plc:wanted')
  },
)

pgTest('lets none wait for ever while people ask on and on (B17)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await query(
    database,
    `insert into millrace_dirty (did, reason, priority)
       select 'did:plc:user' || n, 'asked', 0 from generate_series(1, 20) as n
       union all select * from (values ('did:plc:live', 'sync', 1), ('did:plc:repair', 'repair', 2), ('did:plc:first', 'backfill', 3)) as k`,
  )
  const found = await batches(queue(database, { batchSize: 1 }), 8)
  expect(found.flatMap(({ entries }) => entries.map(({ priority }) => priority))).toEqual([0, 0, 0, 1, 0, 2, 0, 3])
})

pgTest('asks for what the mark asks for, where it was seen (B4, B9)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const ledger = new PostgresLedger({ database })
  await ledger.markDirty([
    { did: 'did:plc:a', reason: 'sync', host: 'relay.test', rev: '3kaaaaaaaaaa2' },
    { did: 'did:plc:b', reason: 'failed' },
  ])
  const [batch] = await batches(queue(database))
  const mark = expect.stringMatching(/^\d+\.\d+$/) as string
  expect(batch?.entries.map(({ event }) => event).sort((a, b) => (a.did < b.did ? -1 : 1))).toEqual([
    { did: 'did:plc:a', host: 'https://relay.test', rev: '3kaaaaaaaaaa2', mark },
    { did: 'did:plc:b', host: 'pds:', rev: '', mark },
  ])
})

pgTest('gives an account to one of two processes, and again when its lease is over', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await new PostgresLedger({ database }).markDirty([{ did: 'did:plc:a', reason: 'sync' }])
  const started = performance.now()
  const [first] = await batches(queue(database, { leaseMs: 200 }))
  expect(didsOf(first)).toEqual(['did:plc:a'])
  const [second] = await batches(queue(database))
  expect(didsOf(second)).toEqual(['did:plc:a'])
  expect(performance.now() - started).toBeGreaterThan(100)
})

pgTest('keeps the mark when the repo was fetched: it goes with the rows (G3)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await new PostgresLedger({ database }).markDirty([{ did: 'did:plc:a', reason: 'sync' }])
  const [batch] = await batches(queue(database))
  await batch!.ack()
  const { rows } = await database.pool.query<{ waits: boolean; attempts: number }>(
    `select next_at between now() + interval '10 seconds' and now() + interval '3 minutes' as waits, attempts from millrace_dirty`,
  )
  expect(rows).toEqual([{ waits: true, attempts: 1 }])
})

pgTest('a repo that was asked for while it was fetched is fetched again at once', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await new PostgresLedger({ database }).markDirty([{ did: 'did:plc:a', reason: 'sync' }])
  const [batch] = await batches(queue(database))
  await query(database, `update millrace_dirty set next_at = now(), updated_at = clock_timestamp()`)
  await batch!.ack()
  expect((await batches(queue(database))).flatMap(didsOf)).toEqual(['did:plc:a'])
  await query(database, `update millrace_dirty set next_at = 'infinity'`)
  await batch!.ack()
  const { rows } = await database.pool.query(`select from millrace_dirty where next_at = 'infinity'`)
  expect(rows).toHaveLength(1)
})

pgTest('does not give out again what it works on for longer than the lease', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await new PostgresLedger({ database }).markDirty([{ did: 'did:plc:a', reason: 'sync' }])
  expect(await batches(queue(database, { leaseMs: 20 }), 2, 2_000)).toHaveLength(1)
})

pgTest('waits a database out that does not answer', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await query(database, 'alter table millrace_dirty rename to elsewhere')
  const waiting = batches(queue(database))
  await query(database, `insert into elsewhere (did, reason) values ('did:plc:a', 'sync')`)
  await query(database, 'alter table elsewhere rename to millrace_dirty')
  expect(didsOf((await waiting)[0])).toEqual(['did:plc:a'])
})
