import { Command } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { readDatabaseOptions, withDatabaseOptions } from '../database-options.ts'

/** `millrace migrate`: the step of a deployment that comes before the processes. */
export function migrateCommand(): Command {
  return withDatabaseOptions(new Command('migrate'))
    .description('Bring the database to what this release needs, as every process does when it starts.')
    .option('--dry-run', 'only say what would be applied', false)
    .option('--json', 'print the report as JSON, on standard output', false)
    .addHelpText(
      'after',
      `
Environment:
  DB_POSTGRES_URL              the Postgres to work on, schema DB_POSTGRES_SCHEMA (default bsky)

Exit codes:
  0  the database is what this release needs
  1  with --dry-run: it is not, yet
  2  the arguments or the environment do not hold
  3  Postgres cannot be reached, or has tables that this release cannot work with`,
    )
    .action((_flags: unknown, self: Command) => {
      const { dryRun } = self.opts<{ dryRun: boolean }>()
      const options = { ...readDatabaseOptions(self), dryRun }
      return inThisProcess(async (host) => {
        const { runMigrate } = await import('./run-migrate.ts')
        return await runMigrate(options, host)
      })
    })
}
