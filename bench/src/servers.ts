import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPostgres, startRedis } from '@millrace/local-services'
import { streamEventCodec, type StreamEvent } from '@millrace/stream-protocol'
import { Client } from 'pg'
import { createClient } from 'redis'

export interface ServersOptions {
  /** Of Postgres, beside those that all have. */
  settings?: Readonly<Record<string, string>>
  onProgress: (text: string) => void
}

/** Nothing but the start of a measurement leads to a checkpoint. */
const settings = { max_wal_size: '8GB', checkpoint_timeout: '1h' }

/** A private Postgres whose commits wait for the disk, a private Redis, and a folder, all for one measurement. */
export class Servers implements AsyncDisposable {
  readonly postgresUrl: string
  readonly redisUrl: string
  readonly #folder: string
  readonly #cleanup: AsyncDisposableStack

  private constructor(postgresUrl: string, redisUrl: string, folder: string, cleanup: AsyncDisposableStack) {
    this.postgresUrl = postgresUrl
    this.redisUrl = redisUrl
    this.#folder = folder
    this.#cleanup = cleanup
  }

  static async start({ settings: more, onProgress }: ServersOptions): Promise<Servers> {
    await using cleanup = new AsyncDisposableStack()
    const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'))
    cleanup.defer(() => rm(folder, { recursive: true }))
    const postgres = cleanup.use(await startPostgres({ durable: true, settings: { ...settings, ...more }, onProgress }))
    const redis = cleanup.use(await startRedis({ onProgress }))
    return new Servers(postgres.url, redis.url, folder, cleanup.move())
  }

  /** Creates a database, empty unless there is a template, and gives its URL. */
  async createDatabase(name: string, template?: string): Promise<string> {
    await this.query(
      template === undefined
        ? `create database ${name} template template0 encoding 'UTF8' locale 'C.UTF-8'`
        : `create database ${name} template ${template} strategy file_copy`,
    )
    const url = new URL(this.postgresUrl)
    url.pathname = `/${name}`
    return url.href
  }

  async dropDatabase(name: string): Promise<void> {
    await this.query(`drop database ${name} with (force)`)
  }

  /** Runs SQL, in the database `postgres` unless another URL is given. */
  async query<R extends object>(sql: string, url = this.postgresUrl): Promise<R[]> {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<R>(sql)).rows
    } finally {
      await client.end()
    }
  }

  async emptyRedis(): Promise<void> {
    const redis = createClient({ url: this.redisUrl })
    await redis.connect()
    await redis.flushAll()
    await redis.close()
  }

  /** Writes events as JSON lines, and gives the file. */
  async writeEvents(name: string, events: readonly StreamEvent[]): Promise<string> {
    const file = path.join(this.#folder, `${name}.jsonl`)
    await writeFile(file, events.map((event) => `${streamEventCodec.encode(event)}\n`).join(''))
    return file
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync()
  }
}
