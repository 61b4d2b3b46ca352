import { Pool, types, type CustomTypesConfig, type PoolClient } from 'pg'
import { DatabaseConnectionError } from './errors.ts'

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: boolean | Error) => void,
) => void

/** A pool whose failures to give a connection can be told from other errors: the driver's own have no code. */
export class ConnectionPool extends Pool {
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
export function markConnectionError(error: Error): void {
  if (!('code' in error)) Object.assign(error, { code: 'ECONNRESET' })
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
