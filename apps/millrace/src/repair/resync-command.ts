import { isDid } from '@millrace/stream-protocol'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { readDatabaseOptions, withDatabaseOptions } from '../database-options.ts'
import { runResync } from './run-resync.ts'

/** `millrace resync`: fetch these accounts. */
export function resyncCommand(): Command {
  const command = new Command('resync')
    .description('Have accounts fetched from their hosts, before all others.')
    .addArgument(new Argument('<did...>', 'the accounts').argParser(collectDids))
    .option('--reindex', 'derive all their rows anew, also those of records that have not changed', false)
    .option('--json', 'print as JSON, on standard output', false)
  return withDatabaseOptions(command).action((dids: string[], flags: Record<string, unknown>, self: Command) =>
    inThisProcess((host) =>
      runResync(dids, { ...readDatabaseOptions(self), reindex: flags['reindex'] as boolean }, host),
    ),
  )
}

function collectDids(text: string, before: string[] = []): string[] {
  if (!isDid(text)) throw new InvalidArgumentError('not a DID')
  return [...before, text]
}
