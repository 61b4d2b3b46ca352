import { openDatabase, type Database } from '@millrace/database'
import { ConfigError, describeError } from '@millrace/runtime'
import { findDatabase } from '../recount/find-database.ts'
import type { CommandHost } from '../recount/run-recount.ts'
import type { DatabaseOptions } from './options.ts'

/**
 * Opens the database of a command for as long as its work lasts, and says what goes wrong.
 * @returns the exit code of the work: 2 when it was asked for what does not hold, 3 when something cannot be reached.
 */
export async function inDatabase(
  { database: wanted, data }: DatabaseOptions,
  { env, stderr, signal }: CommandHost,
  work: (database: Database) => Promise<number>,
): Promise<number> {
  try {
    const { url, schema } = await findDatabase({ url: wanted, env, data })
    await using database = await openDatabase({
      url,
      schema,
      poolSize: 2,
      pipeline: true,
      applicationName: 'millrace-repair',
    })
    return await work(database)
  } catch (error) {
    if (signal.aborted) return 130
    const problems = error instanceof ConfigError ? error.problems : [describeError(error)]
    for (const problem of problems) stderr.write(`millrace: ${problem}\n`)
    return error instanceof ConfigError ? 2 : 3
  }
}
