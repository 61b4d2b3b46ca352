import { isNsid } from '@millrace/stream-protocol'
import { Command, InvalidArgumentError } from 'commander'
import { inThisProcess, type CommandHost } from '../command-host.ts'
import { apiEnvironmentHelp, readApiOptions, withApiOptions } from '../admin/api-options.ts'
import type { AddOptions, BackfillChangeOptions } from './options.ts'
import { runControl, runRetryFailed, runStatus } from './run-backfill.ts'

/** `millrace backfill`: the first fetch of repos, and what becomes of it. */
export function backfillCommand(): Command {
  const command = new Command('backfill')
    .description('Add repos to what is fetched, see how far that is, and hold it or go on. Backfillers do the work.')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `${apiEnvironmentHelp}
  MILLRACE_ALLOW_PRIVATE_HOSTS   with --collection: whether a host may be one of a private network

Exit codes:
  0  done; of status: nothing is left, or it goes on
  1  of status: repos were given up, or wait and no backfiller is there
  2  the arguments or the environment do not hold
  3  neither an admin server nor the stores, or a host, can be reached
  130  stopped; what was added until then is fetched

Examples:
  millrace backfill add alice.example did:plc:z72i7hdynmk6r22z27h6tvur
  millrace backfill add --file dids.txt
  millrace backfill add --collection xyz.statusphere.status --host relay1.us-west.bsky.network
  millrace backfill status`,
    )
  withApiOptions(command)
  add(command)
  command
    .command('status')
    .description('how much waits, how fast it goes, and when it is done')
    .configureHelp({ showGlobalOptions: true })
    .action((_flags: unknown, self: Command) => inThisProcess((host) => runStatus(readApiOptions(self), host)))
  change(
    command.command('pause'),
    'fetch no repos but those that people asked for, that a firehose lost, or that repairs want',
    (options, host) => runControl('pause', options, host),
  )
  change(command.command('resume'), 'go on', (options, host) => runControl('resume', options, host))
  change(command.command('retry-failed'), 'fetch once more what was given up', runRetryFailed)
  return command
}

function add(command: Command): void {
  command
    .command('add')
    .description('have repos fetched, in place of or beside those that the ingester lists')
    .configureHelp({ showGlobalOptions: true })
    .argument('[account...]', 'DIDs, handles, or AT-URIs of records of theirs')
    .option('--file <path>', 'accounts of a file, a DID first in each line; - for standard input')
    .option(
      '--collection <nsid>',
      'all repos with records of it; may be repeated',
      collect(isNsid, 'not a collection'),
      [],
    )
    .option('--host <host>', 'the relay to ask for them (default: those that are read)')
    .option('--first', 'before all others', false)
    .option('--reason <text>', 'why, for the audit log')
    .option('--dry-run', 'only say how many', false)
    .action((subjects: string[], flags: Record<string, unknown>, self: Command) => {
      const options: AddOptions = {
        ...readApiOptions(self),
        subjects,
        file: flags['file'] as string | undefined,
        collections: flags['collection'] as string[],
        host: flags['host'] as string | undefined,
        first: flags['first'] as boolean,
        reason: flags['reason'] as string | undefined,
        dryRun: flags['dryRun'] as boolean,
      }
      return inThisProcess(async (host) => {
        // What asks relays takes long to load, and only this asks them.
        const { runAdd } = await import('./run-add.ts')
        return await runAdd(options, host)
      })
    })
}

function change(
  command: Command,
  description: string,
  run: (options: BackfillChangeOptions, host: CommandHost) => Promise<number>,
): void {
  command
    .description(description)
    .option('--reason <text>', 'why, for the audit log')
    .option('--dry-run', 'only say what would change', false)
    .configureHelp({ showGlobalOptions: true })
    .action((flags: { reason?: string; dryRun: boolean }, self: Command) =>
      inThisProcess((host) => run({ ...readApiOptions(self), reason: flags.reason, dryRun: flags.dryRun }, host)),
    )
}

function collect(isSuch: (text: unknown) => boolean, problem: string): (text: string, before?: string[]) => string[] {
  return (text, before = []) => {
    if (!isSuch(text)) throw new InvalidArgumentError(problem)
    return [...before, text]
  }
}
