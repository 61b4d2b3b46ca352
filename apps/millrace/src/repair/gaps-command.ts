import { Command } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { readDatabaseOptions, withDatabaseOptions } from '../database-options.ts'
import { runGaps } from './run-gaps.ts'

/** `millrace gaps`: what may be missing? */
export function gapsCommand(): Command {
  return withDatabaseOptions(new Command('gaps').option('--json', 'print as JSON, on standard output', false))
    .description('List what may be missing: of which host, why, since when, and which repair closes it.')
    .addHelpText(
      'after',
      '\nExit codes:\n  0  no gap is open\n  1  some are\n  2  the environment does not hold\n  3  Postgres cannot be reached',
    )
    .action((_flags: unknown, self: Command) => inThisProcess((host) => runGaps(readDatabaseOptions(self), host)))
}
