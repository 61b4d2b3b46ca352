import { Pool, types, type ClientBase, type CustomTypesConfig, type PoolClient, type PoolConfig } from 'pg'
import { setTimeout as wait } from 'node:timers/promises'
import { DatabaseConnectionError } from './errors.ts'

/** Longest wait for the end of connections. */
const CLOSE_MS = 2_000

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void

/** A pool whose failures to give a connection can be told from other errors: the driver's own have no code. */
export class ConnectionPool extends Pool {
  readonly #open = new Set<PoolClient>()

  constructor(config: PoolConfig) {
    super(config)
    this.on('connect', (client) => {
      this.#open.add(client)
      client.once('end', () => this.#open.delete(client))
    })
  }

  /** `end` resolves when the server has been told; this, when the connections are gone. */
  async close(): Promise<void> {
    const gone = [...this.#open].map((client) => new Promise<void>((resolve) => client.once('end', () => resolve())))
    if (!this.ending) await this.end()
    // A server that hangs does not keep the process.
    await Promise.race([Promise.all(gone), wait(CLOSE_MS, undefined, { ref: false })])
  }

  override connect(): Promise<PoolClient>
  override connect(callback: ConnectCallback): void
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    // pool.query() comes here with a callback.
    if (callback) return super.connect((error, client, done) => callback(error && this.#withCode(error), client, done))
    return super.connect().catch((error: unknown) => {
      throw this.#withCode(error)
    })
  }

  #withCode(error: unknown): Error {
    if (!(error instanceof Error)) return new DatabaseConnectionError(String(error))
    if ('code' in error || this.ending) return error
    return new DatabaseConnectionError(error.message, { cause: error })
  }
}

/** The same for a connection that breaks while it is used: the error that its queries reject with is this object. */
export function markConnectionErrors(client: ClientBase): void {
  client.on('error', (error) => {
    if (!('code' in error)) Object.assign(error, { code: 'ECONNRESET' })
  })
  // It may break between two statements of a transaction, and the next one would only hear that there is none.
  client.once('error', (error) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    const queryWithCause = (...args: unknown[]): unknown => {
      const result = query(...args)
      return result instanceof Promise ? insteadOfItsOwn(error, result) : result
    }
    Object.assign(client, { query: queryWithCause })
  })
}

async function insteadOfItsOwn(error: Error, result: Promise<unknown>): Promise<unknown> {
  try {
    return await result
  } catch {
    throw error
  }
}

/** Numbers where the driver would give text: our bigints are counters and sequence numbers, below 2^53. */
export const typeParsers: CustomTypesConfig = {
  getTypeParser: ((...[oid, format]: Parameters<typeof types.getTypeParser>) =>
    oid === types.builtins.INT8 ? parseBigint : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
}

function parseBigint(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is no safe integer`)
  return value
}
