import { Command } from 'commander'
import { stopSignal } from '../stop-signal.ts'
import { addDatabaseOptions, readDatabaseOptions } from './database-options.ts'
import { runGaps } from './run-gaps.ts'

/** `millrace gaps`: what may be missing? */
export function gapsCommand(): Command {
  return addDatabaseOptions(
    new Command('gaps').description(
      'List what may be missing: of which host, why, since when, and which repair closes it.',
    ),
  )
    .addHelpText(
      'after',
      '\nExit codes:\n  0  no gap is open\n  1  some are\n  2  the environment does not hold\n  3  Postgres cannot be reached',
    )
    .action(async (_flags: unknown, self: Command) => {
      using stop = stopSignal()
      process.exitCode = await runGaps(readDatabaseOptions(self), {
        env: process.env,
        stdout: process.stdout,
        stderr: process.stderr,
        signal: stop.signal,
      })
    })
}
