import { silentLogger, type Logger } from '@millrace/stream-protocol'
import { Kysely, PostgresDialect, PostgresDriver, type Driver } from 'kysely'
import type pg from 'pg'
import { ConnectionPool, markConnectionErrors, typeParsers } from './connection-pool.ts'
import { DatabaseConnectionError } from './errors.ts'
import type { Tables } from './tables.ts'

export interface OpenDatabaseOptions {
  /** `postgres://user:password@host:port/database`. Everything that it says about the connection holds. */
  url: string
  /** Holds all tables. Created by `migrate` if absent. @default 'bsky' */
  schema?: string
  /** Most connections at a time. @default 10 */
  poolSize?: number
  /** Shown in `pg_stat_activity`. @default 'millrace' */
  applicationName?: string
  /** Longest run of one statement. @default 60_000 */
  statementTimeoutMs?: number
  /** Longest wait for a lock. @default 15_000 */
  lockTimeoutMs?: number
  /** Longest pause within a transaction. @default 60_000 */
  idleInTransactionTimeoutMs?: number
  /** Longest wait for a connection, new or out of the pool. @default 10_000 */
  connectTimeoutMs?: number
  /**
   * Statements are sent before the ones ahead of them have answered, as many as are asked for at once; they still run
   * in that order. For work that sends many statements per transaction. @default false
   */
  pipeline?: boolean
  /** Opens without a connection, also while Postgres is away: nothing is checked. For those who look. @default false */
  mayBeAway?: boolean
  logger?: Logger
}

/** A connection within a transaction. */
export type Client = pg.PoolClient

/**
 * A pool of connections to one schema.
 *
 * On every connection the schema comes first in the search path (then `public`, for extensions), transactions are READ
 * COMMITTED, all waits end by a timeout (hazard X19), and a commit is on disk when it returns (hazard X18). A `bigint`
 * is read as a number.
 */
export interface Database extends AsyncDisposable {
  /** For ordinary queries. */
  readonly db: Kysely<Tables>
  /** For statements of one's own over many rows. */
  readonly pool: pg.Pool
  readonly schema: string
  /** Where it is, without secrets, for people to read. */
  readonly location: string
  /** Resolves when the database answers. */
  ping(): Promise<void>
  /**
   * Commits what `work` did with the client, or rolls it all back and rejects with what `work` threw. An error in the
   * commit itself leaves open whether it happened (hazard X17).
   */
  transaction<T>(work: (client: Client) => Promise<T>): Promise<T>
}

/** Connects once, unless Postgres may be away, so that a wrong address or password shows here, and checks what acks will rely on. */
export async function openDatabase({
  url,
  schema = 'bsky',
  poolSize = 10,
  applicationName = 'millrace',
  statementTimeoutMs = 60_000,
  lockTimeoutMs = 15_000,
  idleInTransactionTimeoutMs = 60_000,
  connectTimeoutMs = 10_000,
  pipeline = false,
  mayBeAway = false,
  logger = silentLogger,
}: OpenDatabaseOptions): Promise<Database> {
  // It stands in SQL as an identifier, and the AppView allows no other names.
  if (!/^[a-z_][a-z0-9_]{0,62}$/i.test(schema)) throw new TypeError(`not a schema name: ${JSON.stringify(schema)}`)
  const location = describeLocation(url, schema)
  const log = logger.child({ component: 'database' })

  const settings: [name: string, value: string][] = [
    ['search_path', `"${schema}", public`],
    // What a transaction reads after it has waited for a lock is what was committed until then.
    ['default_transaction_isolation', 'read committed'],
    ['statement_timeout', String(statementTimeoutMs)],
    ['lock_timeout', String(lockTimeoutMs)],
    ['idle_in_transaction_session_timeout', String(idleInTransactionTimeoutMs)],
  ]

  // Unknown, since the pool's type says void; the pool does wait for what it returns.
  const onConnect = (client: pg.ClientBase): unknown => prepare(client, settings, connectTimeoutMs)

  const pool = new ConnectionPool({
    connectionString: url,
    pipeline,
    max: poolSize,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    // So that a host that went away without a word is noticed while we wait for its answer.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: typeParsers,
    onConnect,
  })
  // An idle connection that breaks is replaced by the pool; unheard, the event would end the process.
  pool.on('error', (error) => log.warn({ err: error, location }, 'lost an idle connection'))

  const database: Database = {
    db: new Kysely<Tables>({ dialect: new Dialect({ pool }) }),
    pool,
    schema,
    location,
    async ping() {
      await pool.query('select 1')
    },
    transaction: (work) => inTransaction(pool, work),
    async [Symbol.asyncDispose]() {
      await pool.close()
    },
  }

  if (mayBeAway) return database
  try {
    const { rows } = await pool.query<{ commit: string; fsync: string }>(
      `select current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync`,
    )
    const [found] = rows
    if (found?.commit === 'off') throw new Error(`${location} keeps synchronous_commit off: acked entries could vanish`)
    if (found?.fsync === 'off') log.warn({ location }, 'fsync is off: a crash of the server can lose committed rows')
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
  return database
}

/**
 * One round trip per connection. `on` waits for the disk, here and on a standby if there is one; only `remote_apply`
 * waits for more, and stays.
 */
const prepareConnection = `
  select set_config(setting ->> 0, setting ->> 1, false) from jsonb_array_elements($1::jsonb) as setting
  union all
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') <> 'remote_apply'`

async function prepare(client: pg.ClientBase, settings: [name: string, value: string][], ms: number): Promise<void> {
  markConnectionErrors(client)
  // Without the answer of a server that hangs, the connection would be neither used nor given up.
  await within(ms, client.query({ text: prepareConnection, values: [JSON.stringify(settings)] }))
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new DatabaseConnectionError(`no answer within ${ms} ms`)), ms)
  try {
    await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    const { command } = await client.query('commit')
    // Postgres answers so when a statement failed and the failure was not passed on.
    if (command === 'ROLLBACK') throw new Error('transaction was rolled back: a statement in it had failed')
    return result
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      // The server rolls back when the connection ends. What made us roll back is what the caller should see.
      broken = rollbackError
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** As `PostgresDialect`, but a failing rollback does not hide what it was for. */
class Dialect extends PostgresDialect {
  readonly #pool: pg.Pool

  constructor({ pool }: { pool: pg.Pool }) {
    super({ pool })
    this.#pool = pool
  }

  override createDriver(): Driver {
    return new DiscardingDriver({ pool: this.#pool })
  }
}

class DiscardingDriver extends PostgresDriver {
  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]): Promise<void> {
    // The driver has marked the connection to be closed, and the server rolls back when it closes.
    await super.rollbackTransaction(connection).catch(() => undefined)
  }
}

function describeLocation(url: string, schema: string): string {
  // Nothing of the text may get into the message: it could be the password.
  if (!URL.canParse(url)) throw new TypeError('the database URL is not a URL')
  const { protocol, hostname, port, pathname } = new URL(url)
  if (!/^postgres(ql)?:$/.test(protocol)) throw new TypeError('the database URL does not begin with postgres://')
  return `postgres://${hostname || 'localhost'}:${port || '5432'}${pathname}?schema=${schema}`
}
