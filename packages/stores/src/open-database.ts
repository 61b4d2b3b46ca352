import { classifyError, migrate, openDatabase, type Database, type OpenDatabaseOptions } from '@millrace/database'
import { describeError } from '@millrace/runtime'
import { Backoff, silentLogger, sleep } from '@millrace/stream-protocol'

export interface OpenMigratedDatabaseOptions extends OpenDatabaseOptions {
  /** Brings the schema to what this release needs; every process may do so, and one of them does. @default true */
  migrates?: boolean
  /** Ends the wait for a Postgres that does not answer yet. */
  signal?: AbortSignal
  /** How long to wait for that, in milliseconds. @default 30_000 */
  waitMs?: number
}

/**
 * Opens the database, waiting for one that is still starting (hazard M11), and migrates it. A refusal, such as a wrong
 * password, is not waited out. With `mayBeAway` one that is away for all of `waitMs` is opened too, if it is not to be
 * migrated.
 */
export async function openMigratedDatabase({
  migrates = true,
  signal,
  waitMs = 30_000,
  logger = silentLogger,
  ...options
}: OpenMigratedDatabaseOptions): Promise<Database> {
  const database = await openWhenUp({ ...options, logger }, waitMs, signal)
  try {
    if (migrates) await migrate(database, { logger })
    logger.info({ location: database.location }, 'database is open')
    return database
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

async function openWhenUp(
  { mayBeAway = false, ...options }: OpenDatabaseOptions,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Database> {
  const backoff = new Backoff({ minMs: 200, maxMs: 3_000 })
  const giveUpAt = performance.now() + waitMs
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await openDatabase(options)
    } catch (error) {
      const delayMs = backoff.nextMs()
      const isAway = classifyError(error) === 'transient'
      const isLate = performance.now() + delayMs > giveUpAt
      if (isAway && isLate && mayBeAway) return await openDatabase({ ...options, mayBeAway })
      if (!isAway || isLate) throw new Error(`cannot open the database: ${describeError(error)}`, { cause: error })
      options.logger?.warn({ err: error }, 'the database does not answer yet')
      await sleep(delayMs, signal)
    }
  }
}
