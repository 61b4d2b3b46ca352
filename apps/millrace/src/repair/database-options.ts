import type { Command } from 'commander'
import type { DatabaseOptions } from './options.ts'

/** Adds what every command has that works on a database. */
export function addDatabaseOptions(command: Command): Command {
  return command
    .option('--json', 'print as JSON, on standard output', false)
    .option(
      '--database <url>',
      'work on this Postgres (other users of the machine see it; the environment is better for passwords)',
    )
    .option(
      '--data <folder>',
      'folder of `millrace up`, whose Postgres is taken if none is named',
      process.env['MILLRACE_DATA_DIR'] ?? '.millrace',
    )
}

/** Also those that stand before the name of a part of the command. */
export function readDatabaseOptions(command: Command): DatabaseOptions {
  const flags: Record<string, unknown> = command.optsWithGlobals()
  return {
    database: flags['database'] as string | undefined,
    data: flags['data'] as string,
    json: flags['json'] as boolean,
  }
}
