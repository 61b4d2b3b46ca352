import { identityVersion, migrate, openDatabase, type Database } from '@millrace/database'
import { createGuardedFetch, DidResolver, handleLookUp, HandleResolver, HostLimits } from '@millrace/identity'
import { HandleRefresher, IndexingService, type HandleRefresherOptions } from '@millrace/indexing'
import { eventually, pgTest, serve, type LocalServer } from '@millrace/testing'
import { describe, expect } from 'vitest'

const didOf = (index: number): string =>
  `did:plc:${index
    .toString(32)
    .padStart(24, 'a')
    .replace(/[0189]/g, 'z')}`
const alice = didOf(1)
const fetch = createGuardedFetch({ allowPrivateHosts: true })

interface Names extends AsyncDisposable {
  plc: LocalServer
  resolver: LocalServer
  /** Handles that are answered; all others never are. */
  known: Map<string, string>
}

/** A directory in which each account has the handle that `handleOf` says, and a resolver of handles. */
async function names(handleOf: (did: string) => string): Promise<Names> {
  const known = new Map<string, string>()
  const plc = await serve(({ url }, response) => {
    const id = url!.slice(1)
    response.end(JSON.stringify({ id, alsoKnownAs: [`at://${handleOf(id)}`] }))
  })
  const resolver = await serve(({ url }, response) => {
    const did = known.get(new URL(url!, 'http://x').searchParams.get('handle') ?? '')
    if (did !== undefined) response.end(JSON.stringify({ did }))
  })
  return {
    plc,
    resolver,
    known,
    [Symbol.asyncDispose]: async () => {
      await plc[Symbol.asyncDispose]()
      await resolver[Symbol.asyncDispose]()
    },
  }
}

async function open(databaseUrl: string): Promise<Database> {
  const database = await openDatabase({ url: databaseUrl, pipeline: true })
  await migrate(database)
  return database
}

const identities = (dids: readonly string[]) =>
  dids.map((did, seq) => ({ type: 'identity', seq, time: new Date().toISOString(), did }) as const)

/** As the indexer has it, on a network that is nothing but loopback. */
function refresher(
  database: Database,
  { plc, resolver }: Names,
  options: Partial<HandleRefresherOptions> = {},
  limits = new HostLimits(),
): HandleRefresher {
  const dids = new DidResolver({ fetch, plcUrl: plc.url, limits, version: identityVersion(database) })
  const handles = new HandleResolver({ fetch, resolverUrl: resolver.url, limits })
  return new HandleRefresher({ database, resolve: handleLookUp({ dids, handles }), idleMs: 10, ...options })
}

async function running(refresher: HandleRefresher, work: () => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const run = refresher.run(stop.signal)
  try {
    await work()
  } finally {
    stop.abort()
    await run
  }
}

describe('the network is asked no more than allowed', () => {
  pgTest('by a thousand events about one account (D4, F78)', async ({ databaseUrl }) => {
    await using network = await names(() => 'alice.test')
    await using database = await open(databaseUrl)
    const indexing = await IndexingService.open({ database, plugins: [] })
    network.known.set('alice.test', alice)
    await running(refresher(database, network, { quiet: { minMs: 3_600_000, maxMs: 3_600_000 } }), async () => {
      for (let second = 0; second < 5; second++)
        for (let batch = 0; batch < 10; batch++) await indexing.index(identities(Array(100).fill(alice)))
      await eventually(async () => {
        const { rows } = await database.pool.query('select handle from actor')
        expect(rows).toEqual([{ handle: 'alice.test' }])
      })
    })
    expect([network.plc.asked.length, network.resolver.asked.length]).toEqual([1, 1])
  })

  pgTest(
    'by a hundred thousand fresh handles of one domain, which hold up no other (D4, T19, S16)',
    async ({ databaseUrl }) => {
      const others = [didOf(1), didOf(2), didOf(3)]
      await using network = await names((did) => `${did.slice(-6)}.${others.includes(did) ? 'test' : 'flood.example'}`)
      await using database = await open(databaseUrl)
      for (const did of others) network.known.set(`${did.slice(-6)}.test`, did)
      await database.pool.query(
        `insert into millrace_identity (did) select 'did:plc:flood' || translate(lpad(i::text, 19, '0'), '0189', 'abcd') from generate_series(1, 100000) i`,
      )
      const indexing = await IndexingService.open({ database, plugins: [] })
      // The clock stands still, so that a rate is a number.
      const clock = { now: 0 }
      const now = (): number => clock.now
      const limits = new HostLimits({ perSecond: 8, concurrency: 3, now })
      await running(refresher(database, network, { perSecond: 60, concurrency: 30, now }, limits), async () => {
        await eventually(() => expect(network.plc.asked).toHaveLength(60))
        await indexing.index(identities(others))
        clock.now = 1_000
        await eventually(async () => {
          const { rows } = await database.pool.query('select did from actor where handle is not null order by did')
          expect(rows.map((row: { did: string }) => row.did)).toEqual(others.toSorted())
          expect(network.plc.asked).toHaveLength(120)
        })
      })
      // All that the rate allows were begun; of the flood's domain, which never answers, three were asked.
      expect([network.plc.asked.length, network.resolver.asked.length - others.length]).toEqual([120, 3])
    },
  )
})

pgTest('an event expires what every process knows of an account (D7)', async ({ databaseUrl }) => {
  await using network = await names(() => 'alice.test')
  await using database = await open(databaseUrl)
  await using elsewhere = await open(databaseUrl)
  const indexing = await IndexingService.open({ database, plugins: [] })
  const backfiller = new DidResolver({
    fetch,
    plcUrl: network.plc.url,
    version: identityVersion(elsewhere),
    minIntervalMs: 0,
  })
  await backfiller.resolve(alice)
  await backfiller.resolve(alice)
  expect(network.plc.asked).toHaveLength(1)
  await indexing.index(identities([alice]))
  await backfiller.resolve(alice)
  await backfiller.resolve(alice)
  expect(network.plc.asked).toHaveLength(2)
})
