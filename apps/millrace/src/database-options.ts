import type { Command } from 'commander'

/** Where a command finds its database, and how it prints. */
export interface DatabaseOptions {
  /** URL of a Postgres, in place of the configured one. */
  database: string | undefined
  /** Folder of `millrace up`. */
  data: string
  json: boolean
}

/** The options of a command that works on the database of a pipeline, for `findDatabase`. */
export function withDatabaseOptions(command: Command): Command {
  return command
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

/** The values of these, and of `--json`: also of those that stand before the name of a part of the command. */
export function readDatabaseOptions(command: Command): DatabaseOptions {
  const { database, data, json } = command.optsWithGlobals<DatabaseOptions>()
  return { database, data, json }
}
