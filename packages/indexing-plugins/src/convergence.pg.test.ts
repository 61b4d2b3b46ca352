import { classifyError, migrate, openDatabase, type Database } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { EVENT_TIME, readTables, type TableRows } from '@millrace/indexing/testing'
import type { StreamEvent } from '@millrace/stream-protocol'
import { pgTest } from '@millrace/testing'
import * as fc from 'fast-check'
import { describe, expect } from 'vitest'
import { appBskyPlugins } from './index.ts'
import { historyOf, kinds, type Step } from './testing/network-history.ts'

/** How the events of a history reach the indexers. */
interface Delivery {
  /** How far each event is late, in places. */
  delays: number[]
  /** Events that come twice. */
  repeats: number[]
  /** Sizes of batches, and which of the two indexers gets each. */
  cuts: number[]
  lanes: boolean[]
}

const step: fc.Arbitrary<Step> = fc.record({
  account: fc.nat(2),
  kind: fc.oneof(
    { weight: 5, arbitrary: fc.constant('post' as const) },
    { weight: 2, arbitrary: fc.constantFrom('threadgate' as const, 'postgate' as const) },
    { weight: 2, arbitrary: fc.constantFrom('like' as const, 'repost' as const, 'follow' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...kinds) },
    { weight: 1, arbitrary: fc.constant('snapshot' as const) },
  ),
  slot: fc.nat(2),
  removes: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  target: fc.nat(8),
  other: fc.nat(8),
  variant: fc.nat(11),
})

const delivery: fc.Arbitrary<Delivery> = fc.record({
  delays: fc.array(fc.oneof(fc.nat(4), fc.nat(60)), { minLength: 1, maxLength: 40 }),
  repeats: fc.array(fc.nat(60), { maxLength: 6 }),
  cuts: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
  lanes: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
})

/** Two lanes of batches. */
function deliver(events: readonly StreamEvent[], { delays, repeats, cuts, lanes }: Delivery): StreamEvent[][][] {
  const sent = [...events.keys(), ...repeats.filter((index) => index < events.length)]
  const arrived = sent
    .map((event, place) => ({ event, at: event + delays[place % delays.length]! }))
    .sort((a, b) => a.at - b.at)
    .map(({ event }) => events[event]!)
  const result: StreamEvent[][][] = [[], []]
  for (let batch = 0; arrived.length > 0; batch++)
    result[lanes[batch % lanes.length] ? 1 : 0]!.push(arrived.splice(0, cuts[batch % cuts.length]))
  return result
}

/** The AppView's tables in one schema, and two indexers that write to it. */
class Network {
  readonly #databases: readonly Database[]
  readonly #services: readonly IndexingService[]
  readonly #tables: readonly string[]

  private constructor(databases: readonly Database[], services: readonly IndexingService[], tables: readonly string[]) {
    this.#databases = databases
    this.#services = services
    this.#tables = tables
  }

  static async open(url: string): Promise<Network> {
    const databases = await Promise.all([1, 2].map(() => openDatabase({ url, poolSize: 4, pipeline: true })))
    await migrate(databases[0]!)
    const now = (): number => Date.parse(EVENT_TIME) + 1_000
    const services = await Promise.all(
      databases.map((database) => IndexingService.open({ database, plugins: appBskyPlugins, now })),
    )
    const { rows } = await databases[0]!.pool.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'bsky'::regnamespace and relkind = 'r' and relname not like '%migration%' and relname <> 'view_param'`,
    )
    return new Network(
      databases,
      services,
      rows.map(({ name }) => name),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#databases.map((database) => database[Symbol.asyncDispose]()))
  }

  async clear(): Promise<void> {
    await this.#databases[0]!.pool.query(this.#tables.map((table) => `delete from "${table}"`).join('; '))
  }

  /** Each lane by an indexer of its own, all lanes at once; what fails for a moment is tried again. */
  async index(lanes: readonly (readonly StreamEvent[][])[]): Promise<void> {
    await Promise.all(
      lanes.map(async (batches, lane) => {
        for (const batch of batches) await insist(() => this.#services[lane]!.index(batch))
      }),
    )
  }

  /** What readers see, without ids, our own clock and counts of zero. */
  async rows(): Promise<TableRows> {
    const visible = this.#tables.filter((table) => !table.startsWith('millrace_'))
    const tables = await readTables(this.#databases[0]!, visible, { notification: ['id'], actor: ['indexedAt'] })
    for (const table of ['post_agg', 'profile_agg'])
      tables[table] = tables[table]!.filter((row) =>
        Object.values(row).some((value) => typeof value === 'number' && value !== 0),
      )
    // That a reply was deleted is history: it is known only to who saw the reply before.
    tables['op_thread_reply'] = tables['op_thread_reply']!.filter((row) => row['deletedAt'] === null)
    return tables
  }
}

async function insist(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      return
    } catch (error) {
      if (classifyError(error) !== 'transient' || attempt === 5) throw error
    }
  }
}

const seed = Number(process.env['MILLRACE_TEST_SEED'] ?? 20260115)
const numRuns = Number(process.env['MILLRACE_TEST_RUNS'] ?? 40)

describe('rows are a function of what happened', () => {
  pgTest(
    'whatever order, batches, repetitions and indexers it comes by (G5, G6, X12, X24)',
    { timeout: 30_000 + numRuns * 3_000 },
    async ({ databaseUrl }) => {
      await using network = await Network.open(databaseUrl)
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 30 }), delivery, async (steps, delivery) => {
          const events = historyOf(steps)
          await network.clear()
          await network.index([events.map((event) => [event])])
          const expected = await network.rows()
          await network.clear()
          await network.index(deliver(events, delivery))
          expect(await network.rows()).toEqual(expected)
        }),
        { seed, numRuns },
      )
    },
  )
})
