import { randomBytes } from 'node:crypto'
import { migrate, openDatabase, type Database } from '@millrace/database'
import { recordUri, type RecordEvent, type RecordJson, type StreamEvent } from '@millrace/stream-protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { IndexingService } from '../indexing-service.ts'
import type { Count, Part, RecordPlugin } from '../plugin.ts'
import { quoted } from '../sql.ts'
import { deleteEvent, EVENT_TIME, updateEvent } from './events.ts'
import { ordersOf } from './orders.ts'
import { compareRows, readTables, type RowDifferences, type TableRow, type TableRows } from './tables.ts'

export interface PluginCase {
  /** What happened, in order. Of the plugin's own records the last one is what `update` changes. */
  events: readonly RecordEvent[]
  /** The rows that follow, by table: these and no others, each with at least these columns. */
  rows: TableRows
  /** Another version of the record, and the rows that follow then. */
  update?: { record: RecordJson; rows: TableRows }
}

export interface DescribePluginOptions {
  /** Each case by a sentence about the plugin. */
  cases: { [name: string]: PluginCase }
  /** URL of a Postgres database. The suite makes a schema of its own in it, and drops it at the end. */
  database: () => string | Promise<string>
  /** Further plugins that the cases need. */
  plugins?: readonly RecordPlugin[]
  /** The clock, in milliseconds since 1970. @default a second after EVENT_TIME */
  now?: () => number
  /**
   * Most orders of arrival to try for one case; 0 where the order may matter. @default 24, which is all of four events
   */
  orders?: number
}

/**
 * Tests a plugin against a real Postgres: each case gives its rows, and whatever the case is, twice is once, a batch
 * gives the rows that its events give one by one, every order of arrival ends in the same rows, an update leaves
 * nothing of what was before, and a deletion leaves nothing at all, whether it comes last or first.
 */
export function describePlugin(plugin: RecordPlugin, options: DescribePluginOptions): void {
  const collection = plugin.collection.collection
  describe(`plugin of ${collection}`, () => {
    const bench = new Bench(plugin, options)
    beforeAll(() => bench.open(), 60_000)
    afterAll(() => bench.close(), 60_000)
    beforeEach(() => bench.clear())
    for (const [name, each] of Object.entries(options.cases)) {
      describe(name, () => {
        describeCase(bench, each)
        if (options.orders !== 0) describeOrders(bench, each, options.orders ?? 24)
        if (each.update) describeUpdate(bench, each.events, collection, each.update)
      })
    }
  })
}

function describeCase(bench: Bench, { events, rows }: PluginCase): void {
  test('gives its rows', async () => {
    await bench.one(events)
    expect(await bench.differences(rows)).toEqual({})
  })

  test('twice is once', async () => {
    await bench.one(events)
    const before = await bench.rows()
    await bench.one(events)
    await bench.batch([...events, ...events])
    expect(await bench.rows()).toEqual(before)
  })

  test('a batch gives the rows that its events give one by one', async () => {
    await bench.one(events)
    const before = await bench.rows()
    await bench.clear()
    await bench.batch(events)
    expect(await bench.rows()).toEqual(before)
  })

  test('a deletion leaves nothing, whether it comes last or first', async () => {
    const records = [...new Map(events.map((event) => [recordUri(event), event])).values()]
    const deletions = records.map((event) => deleteEvent(event))
    await bench.one([...events, ...deletions])
    expect(await bench.remains()).toEqual({})
    await bench.clear()
    await bench.one([...deletions, ...events])
    expect(await bench.remains()).toEqual({})
    await bench.clear()
    await bench.batch([...events, ...deletions])
    expect(await bench.remains()).toEqual({})
  })
}

function describeOrders(bench: Bench, { events }: PluginCase, most: number): void {
  test('every order of arrival ends in the same rows', async () => {
    await bench.one(events)
    const rows = await bench.rows()
    for (const [index, order] of ordersOf(events, most).entries()) {
      await bench.clear()
      await (index % 2 === 0 ? bench.one(order) : bench.batch(order))
      const arrived = order.map((event) => `${event.type} ${recordUri(event)}`)
      expect({ arrived, rows: await bench.rows() }).toEqual({ arrived, rows })
    }
  })
}

function describeUpdate(
  bench: Bench,
  events: readonly RecordEvent[],
  collection: string,
  { record, rows }: NonNullable<PluginCase['update']>,
): void {
  test('an update leaves nothing of what was before', async () => {
    const subject = events.findLast((event) => event.collection === collection && event.type !== 'delete')
    if (!subject) throw new Error(`no event of the case is a record of ${collection}`)
    const newer = updateEvent(subject, record)
    await bench.one([...events, newer])
    expect(await bench.differences(rows)).toEqual({})

    const replaced = await bench.rows()
    await bench.clear()
    const uri = recordUri(subject)
    await bench.one([...events.filter((event) => recordUri(event) !== uri), newer])
    const asIfItWereTheOnlyVersion = await bench.rows()
    expect(replaced).toEqual(asIfItWereTheOnlyVersion)
  })
}

/** One schema with the plugins on it. */
class Bench {
  readonly #options: DescribePluginOptions
  readonly #plugins: readonly RecordPlugin[]
  readonly #parts: readonly Part<never>[]
  readonly #counts: readonly Count[]
  readonly #tables: readonly string[]
  #database: Database | undefined
  #service: IndexingService | undefined

  constructor(plugin: RecordPlugin, options: DescribePluginOptions) {
    this.#options = options
    const collections = new Set([plugin.collection.collection])
    const others = (options.plugins ?? []).filter(({ collection }) => !collections.has(collection.collection))
    this.#plugins = [plugin, ...others]
    this.#parts = this.#plugins.flatMap((each) => each.parts ?? [])
    this.#counts = [...this.#plugins, ...this.#parts].flatMap((each) => each.counts ?? [])
    this.#tables = [
      'record',
      'duplicate_record',
      'notification',
      'actor',
      ...this.#plugins.flatMap(({ table }) => table ?? []),
      ...[...this.#parts, ...this.#counts].map(({ table }) => table),
    ]
  }

  async open(): Promise<void> {
    const url = await this.#options.database()
    const schema = `test_${randomBytes(8).toString('hex')}`
    this.#database = await openDatabase({ url, schema, poolSize: 4, pipeline: true })
    await migrate(this.#database)
    this.#service = await IndexingService.open({
      database: this.#database,
      plugins: this.#plugins,
      now: this.#options.now ?? (() => Date.parse(EVENT_TIME) + 1_000),
    })
  }

  async close(): Promise<void> {
    if (!this.#database) return
    await this.#database.pool.query(`drop schema if exists ${quoted(this.#database.schema)} cascade`)
    await this.#database[Symbol.asyncDispose]()
  }

  async clear(): Promise<void> {
    const bookkeeping = ['millrace_tombstone', 'millrace_repo', 'millrace_identity', 'actor_sync']
    const tables = [...new Set([...this.#tables, ...bookkeeping])]
    await this.#open.pool.query(tables.map((table) => `delete from ${quoted(table)}`).join('; '))
  }

  async one(events: readonly StreamEvent[]): Promise<void> {
    for (const event of events) await this.batch([event])
  }

  async batch(events: readonly StreamEvent[]): Promise<void> {
    await this.#service!.index(events)
  }

  /** What can be compared: not ids, not when an account was first heard of, not counts of zero. */
  async rows(): Promise<TableRows> {
    const tables = await readTables(this.#open, this.#tables, { notification: ['id'], actor: ['indexedAt'] })
    for (const { table } of this.#counts) tables[table] = tables[table]!.filter((row) => !countsNothing(row))
    return tables
  }

  /** What of the expected rows is missing and what is there beside them; tables that agree are left out. */
  async differences(expected: TableRows): Promise<{ [table: string]: RowDifferences }> {
    const actual = await readTables(this.#open, Object.keys(expected))
    return Object.fromEntries(
      Object.entries(expected)
        .map(([table, rows]) => [table, compareRows(actual[table]!, rows)] as const)
        .filter(([, { missing, extra }]) => missing.length + extra.length > 0),
    )
  }

  /** Rows that should have gone with their records: all but those of accounts, and the marks of what was deleted. */
  async remains(): Promise<TableRows> {
    const { actor: _, ...rows } = await this.rows()
    for (const { table, markDeleted } of this.#parts)
      if (markDeleted) rows[table] = rows[table]!.filter((row) => row[markDeleted.column] === null)
    return Object.fromEntries(Object.entries(rows).filter(([, left]) => left.length > 0))
  }

  get #open(): Database {
    if (!this.#database) throw new Error('the database is not open')
    return this.#database
  }
}

function countsNothing(row: TableRow): boolean {
  return Object.values(row).every((value) => typeof value !== 'number' || value === 0)
}
