import { sleep } from '@millrace/stream-protocol'
import { createLogSpy, eventually, pgTest } from '@millrace/testing'
import { expect } from 'vitest'
import { ConsumerLease, type ConsumerLeaseOptions } from './consumer-lease.ts'
import { migrate } from './migrate.ts'
import { openDatabase, type Database } from './open-database.ts'

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url })
  await migrate(database)
  return database
}

const take = (database: Database, options: Partial<ConsumerLeaseOptions> = {}): Promise<ConsumerLease> =>
  ConsumerLease.take({ database, groups: ['g'], name: 'one', leaseMs: 3_600_000, ...options })

/** Renews leases, as their processes would, until somebody has got one. */
async function whileRenewing(leases: readonly ConsumerLease[], taking: Promise<ConsumerLease>): Promise<ConsumerLease> {
  const state = { isTaken: false }
  const taken = taking.finally(() => (state.isTaken = true))
  while (!state.isTaken) {
    for (const lease of leases) await lease.renew()
    await sleep(20)
  }
  return await taken
}

pgTest('a second process with the same name takes a suffix, and says so (S8)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const logger = createLogSpy()
  await using first = await take(database)
  await using second = await whileRenewing([first], take(database, { logger }))
  expect([first.consumer, second.consumer]).toEqual(['one', 'one-2'])
  expect([first.trouble(), second.trouble()]).toEqual([
    undefined,
    'another process has the consumer name one: this is one-2',
  ])
  expect(logger.entries).toMatchObject([
    { level: 'error', fields: { wanted: 'one', consumer: 'one-2', alarm: 'consumer-name' } },
  ])
})

pgTest('processes of different groups may have one name (S8)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await using first = await take(database)
  await using other = await take(database, { groups: ['h', 'i'] })
  expect([first.consumer, other.consumer]).toEqual(['one', 'one'])
})

pgTest('a name that was given back is free at once (S8)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const first = await take(database, { groups: ['g', 'h'] })
  await first[Symbol.asyncDispose]()
  await using next = await take(database, { groups: ['h'] })
  expect(next.consumer).toBe('one')
})

pgTest('the name of a process that was killed is taken over after its lease (S8)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  const killed = await take(database, { groups: ['g', 'h'], leaseMs: 30 })
  await using next = await take(database)
  expect(next.consumer).toBe('one')
  // It was only paused, and comes back: both are told apart by their leases.
  await killed.renew()
  expect(killed.trouble()).toBe('another process took the consumer name one while this one was silent')
  await next[Symbol.asyncDispose]()
  await killed.renew()
  expect(killed.trouble()).toBeUndefined()
})

pgTest(
  'a third process takes the next suffix, and one that ends leaves its own to the next (S8)',
  async ({ databaseUrl }) => {
    await using database = await open(databaseUrl)
    await using first = await take(database)
    const second = await whileRenewing([first], take(database))
    await using third = await whileRenewing([first, second], take(database))
    await second[Symbol.asyncDispose]()
    await using fourth = await whileRenewing([first, third], take(database))
    expect([third.consumer, fourth.consumer]).toEqual(['one-3', 'one-2'])
  },
)

pgTest('its loop renews the lease for as long as it runs (S8)', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await using lease = await take(database, { leaseMs: 30 })
  const expiry = async (): Promise<unknown> =>
    (await database.pool.query('select expires_at from millrace_lease')).rows[0]?.expires_at
  const before = await expiry()
  const stop = new AbortController()
  const run = lease.run(stop.signal)
  try {
    await eventually(async () => expect(await expiry()).not.toEqual(before))
  } finally {
    stop.abort()
    await run
  }
})

pgTest('being stopped ends the wait for a name', async ({ databaseUrl }) => {
  await using database = await open(databaseUrl)
  await using _ = await take(database)
  const stop = new AbortController()
  const waiting = take(database, { leaseMs: 3_600_000, signal: stop.signal })
  stop.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
})
