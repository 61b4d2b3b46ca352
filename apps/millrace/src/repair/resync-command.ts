import { Command } from 'commander'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from '../admin/api-options.ts'
import { inThisProcess } from '../command-host.ts'
import { runResync } from './run-resync.ts'

/** `millrace resync`: fetch these accounts. */
export function resyncCommand(): Command {
  return withApiOptions(new Command('resync'))
    .description('Have accounts fetched from their hosts, before all others.')
    .argument('<account...>', 'DIDs, handles, or AT-URIs of records of theirs')
    .option('--reindex', 'derive all their rows anew, also those of records that have not changed', false)
    .option('--dry-run', 'only say which', false)
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((accounts: string[], flags: { reindex: boolean; dryRun: boolean; reason?: string }, self: Command) =>
      inThisProcess((host) => runResync(accounts, { ...readApiOptions(self), ...flags }, host)),
    )
}
