import { isDid } from '@millrace/stream-protocol'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { stopSignal } from '../stop-signal.ts'
import { addDatabaseOptions, readDatabaseOptions } from './database-options.ts'
import { runResync } from './run-resync.ts'

/** `millrace resync`: fetch these accounts. */
export function resyncCommand(): Command {
  return addDatabaseOptions(
    new Command('resync')
      .description('Have accounts fetched from their hosts, before all others.')
      .addArgument(new Argument('<did...>', 'the accounts').argParser(collectDids))
      .option('--reindex', 'derive all their rows anew, also those of records that have not changed', false),
  ).action(async (dids: string[], flags: Record<string, unknown>, self: Command) => {
    using stop = stopSignal()
    process.exitCode = await runResync(
      dids,
      { ...readDatabaseOptions(self), reindex: flags['reindex'] as boolean },
      { env: process.env, stdout: process.stdout, stderr: process.stderr, signal: stop.signal },
    )
  })
}

function collectDids(text: string, before: string[] = []): string[] {
  if (!isDid(text)) throw new InvalidArgumentError('not a DID')
  return [...before, text]
}
