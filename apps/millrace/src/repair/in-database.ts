import { openDatabase, type Database } from '@millrace/database'
import { explainFailure, type CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { findDatabase } from '../find-database.ts'

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
    return signal.aborted ? 130 : explainFailure(error, stderr)
  }
}
