import { Command } from 'commander'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from '../admin/api-options.ts'
import { inThisProcess } from '../command-host.ts'
import { runGaps } from './run-gaps.ts'

/** `millrace gaps`: what may be missing? */
export function gapsCommand(): Command {
  return withApiOptions(new Command('gaps'))
    .description('List what may be missing: of which host, why, since when, and which repair closes it.')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((_flags: unknown, self: Command) => inThisProcess((host) => runGaps(readApiOptions(self), host)))
}
