import type { Command } from 'commander'

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
