import { assertCanMigrate, migrate, migrationStatus, type MigrationStatus } from '@millrace/database'
import { openMigratedDatabase } from '@millrace/stores'
import { explainFailure, type CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { findDatabase } from '../find-database.ts'

export interface MigrateCommandOptions extends DatabaseOptions {
  dryRun: boolean
}

/**
 * Migrates the database, waiting for a Postgres that is still starting, and prints what that was.
 * @returns the exit code.
 */
export async function runMigrate(options: MigrateCommandOptions, host: CommandHost): Promise<number> {
  const { dryRun, json } = options
  try {
    const { url, schema } = await findDatabase({ url: options.database, env: host.env, data: options.data })
    await using database = await openMigratedDatabase({
      url,
      schema,
      migrates: false,
      poolSize: 1,
      applicationName: 'millrace-migrate',
      signal: host.signal,
    })
    const before = await migrationStatus(database)
    await (dryRun ? assertCanMigrate(database) : migrate(database))
    const names = namesOf(before)
    host.stdout.write(
      json
        ? `${JSON.stringify({ dryRun, database: database.location, migrations: names }, undefined, 2)}\n`
        : `${[database.location, ...render(names, dryRun)].join('\n')}\n`,
    )
    return dryRun && names.length > 0 ? 1 : 0
  } catch (error) {
    return explainFailure(error, host.stderr)
  }
}

/** What a migration applies, in its order. */
function namesOf({ appView, pending }: MigrationStatus): string[] {
  return appView === 'absent' ? ['the AppView tables', ...pending] : pending
}

function render(names: readonly string[], dryRun: boolean): string[] {
  if (names.length === 0) return ['nothing to apply']
  return names.map((name) => `${dryRun ? 'would apply' : 'applied'} ${name}`)
}
