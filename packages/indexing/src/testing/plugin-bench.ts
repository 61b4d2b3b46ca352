import { randomBytes } from 'node:crypto'
import { migrate, openDatabase, type Database, type MigrationSet } from '@millrace/database'
import { recordUri, type StreamEvent } from '@millrace/stream-protocol'
import { IndexingService } from '../indexing-service.ts'
import type { Count, Part, RecordPlugin } from '../plugin.ts'
import { quoted } from '../sql.ts'
import { EVENT_TIME } from './events.ts'
import { readTables, type TableRow, type TableRows } from './tables.ts'

export interface PluginBenchOptions {
  /** The first one is what is tested. */
  plugins: readonly RecordPlugin[]
  /** Whose tables the plugins write, beside those of the AppView. */
  sets?: readonly MigrationSet[]
  /** URL of a Postgres database. */
  url: string
  /** The clock, in milliseconds since 1970. */
  now?: () => number
}

/** Plugins on a schema of their own. */
export class PluginBench implements AsyncDisposable {
  readonly #database: Database
  readonly #services: { news: IndexingService; quiet: IndexingService }
  readonly #parts: readonly Part<never>[]
  readonly #counts: readonly Count[]
  readonly #tables: readonly string[]
  /** What was refused since the last `clear`, for people to read. */
  readonly refused = new Set<string>()

  private constructor(
    database: Database,
    services: { news: IndexingService; quiet: IndexingService },
    plugins: readonly RecordPlugin[],
  ) {
    this.#database = database
    this.#services = services
    this.#parts = plugins.flatMap((each) => each.parts ?? [])
    this.#counts = [...plugins, ...this.#parts].flatMap((each) => each.counts ?? [])
    this.#tables = [
      'record',
      'duplicate_record',
      'notification',
      'actor',
      ...plugins.flatMap(({ table }) => table ?? []),
      ...[...this.#parts, ...this.#counts].map(({ table }) => table),
    ]
  }

  static async open({
    plugins,
    sets = [],
    url,
    now = () => Date.parse(EVENT_TIME) + 1_000,
  }: PluginBenchOptions): Promise<PluginBench> {
    const schema = `test_${randomBytes(8).toString('hex')}`
    const database = await openDatabase({ url, schema, poolSize: 4, pipeline: true })
    try {
      await migrate(database, { sets })
      const news = await IndexingService.open({ database, plugins, now })
      const quiet = await IndexingService.open({ database, plugins, now, notificationHorizonMs: 0 })
      return new PluginBench(database, { news, quiet }, plugins)
    } catch (error) {
      await drop(database)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await drop(this.#database)
  }

  async clear(): Promise<void> {
    this.refused.clear()
    const bookkeeping = ['millrace_tombstone', 'millrace_repo', 'millrace_identity', 'actor_sync']
    const tables = [...new Set([...this.#tables, ...bookkeeping])]
    await this.#database.pool.query(tables.map((table) => `delete from ${quoted(table)}`).join('; '))
  }

  /** Each event as a batch of its own. */
  async one(events: readonly StreamEvent[]): Promise<void> {
    for (const event of events) await this.batch([event])
  }

  async batch(events: readonly StreamEvent[]): Promise<void> {
    await this.#index(this.#services.news, events)
  }

  /** The same, where nothing is news any longer. */
  async quietBatch(events: readonly StreamEvent[]): Promise<void> {
    await this.#index(this.#services.quiet, events)
  }

  async #index(service: IndexingService, events: readonly StreamEvent[]): Promise<void> {
    const { rejected } = await service.index(events)
    for (const { index, error } of rejected) {
      const event = events[index]!
      this.refused.add(`${event.type} of ${'rkey' in event ? recordUri(event) : event.did}: ${error}`)
    }
  }

  /** What can be compared: not ids, not when an account was first heard of, not counts of zero. */
  async rows(): Promise<TableRows> {
    const tables = await readTables(this.#database, this.#tables, { notification: ['id'], actor: ['indexedAt'] })
    for (const { table } of this.#counts) tables[table] = tables[table]!.filter((row) => !countsNothing(row))
    return tables
  }

  /**
   * What records lead to, whatever came before them: not accounts, which stay, not revisions, and not the marks of what
   * was deleted, which are left only where it was seen.
   */
  async lastingRows(): Promise<TableRows> {
    const { actor: _, ...rows } = await this.rows()
    rows['record'] = rows['record']!.map((row) => ({ ...row, rev: null }))
    for (const { table, markDeleted } of this.#parts)
      if (markDeleted) rows[table] = rows[table]!.filter((row) => row[markDeleted.column] === null)
    return rows
  }

  /** Every row of these tables, with all of its columns. */
  async read(tables: readonly string[]): Promise<TableRows> {
    const { rows } = await this.#database.pool.query<{ name: string }>({
      text: 'select name from unnest($1::text[]) as name where to_regclass(quote_ident(name)) is null',
      values: [tables],
    })
    if (rows.length > 0) throw new Error(`there is no table ${rows.map(({ name }) => name).join(', and no table ')}`)
    return readTables(this.#database, tables)
  }
}

function countsNothing(row: TableRow): boolean {
  return Object.values(row).every((value) => typeof value !== 'number' || value === 0)
}

async function drop(database: Database): Promise<void> {
  await database.pool.query(`drop schema if exists ${quoted(database.schema)} cascade`)
  await database[Symbol.asyncDispose]()
}
