import { classifyError, migrate, openDatabase, type Database } from '@millrace/database'
import { IndexingService } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { findAnomalies, readDatabase, type Anomaly, type Rows } from '@millrace/oracle'
import type { SaidBatch } from './deliver.ts'
import { NOW } from './history.ts'
import { LANES } from './scenario.ts'

/** Some indexers, each with a pool of its own, that write to one schema. */
export class Indexers implements AsyncDisposable {
  readonly #databases: readonly Database[]
  readonly #services: readonly IndexingService[]
  readonly #clear: string

  private constructor(databases: readonly Database[], services: readonly IndexingService[], clear: string) {
    this.#databases = databases
    this.#services = services
    this.#clear = clear
  }

  static async open(url: string): Promise<Indexers> {
    const databases = await Promise.all(
      Array.from({ length: LANES }, () => openDatabase({ url, poolSize: 2, pipeline: true })),
    )
    const [{ pool, schema }] = databases as [Database]
    await migrate(databases[0]!)
    const services = await Promise.all(
      databases.map((database) => IndexingService.open({ database, plugins: appBskyPlugins, now: () => NOW })),
    )
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = $1::regnamespace and relkind = 'r' and relname not like '%migration%' and relname <> 'view_param'`,
      [schema],
    )
    return new Indexers(databases, services, rows.map(({ name }) => `delete from "${name}"`).join('; '))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#databases.map((database) => database[Symbol.asyncDispose]()))
  }

  async clear(): Promise<void> {
    await this.#databases[0]!.pool.query(this.#clear)
  }

  /**
   * Each lane by an indexer of its own, all lanes at once; what fails for a moment is tried again.
   * @returns accounts whose repo has to be fetched.
   */
  async index(lanes: readonly (readonly SaidBatch[])[]): Promise<Set<string>> {
    const dirty = new Set<string>()
    await Promise.all(
      lanes.map(async (batches, lane) => {
        const service = this.#services[lane]!
        for (const { events, labels } of batches) {
          if (events.length > 0) for (const { did } of (await insist(() => service.index(events))).dirty) dirty.add(did)
          if (labels.length > 0) await insist(() => service.indexLabels(labels))
        }
      }),
    )
    const { rows } = await this.#databases[0]!.pool.query<{ did: string }>('delete from millrace_dirty returning did')
    return dirty.union(new Set(rows.map(({ did }) => did)))
  }

  /** Where the rows are not those that are expected. */
  async compare(expected: Rows): Promise<Anomaly[]> {
    const { pool, schema } = this.#databases[0]!
    return findAnomalies(expected, await readDatabase(pool, schema))
  }
}

async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (classifyError(error) !== 'transient' || attempt === 10) throw error
    }
  }
}
