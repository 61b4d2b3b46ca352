import { Argument, Command, InvalidArgumentError } from 'commander'
import { positive } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, readApiOptions, withApiOptions } from '../admin/api-options.ts'
import { readMoment } from './moment.ts'
import type { RepairAction, RepairCommandOptions } from './options.ts'
import { runRepairAction, runRepairList } from './run-repair-action.ts'
import { runRepair } from './run-repair.ts'

const actions: Readonly<Record<RepairAction, string>> = {
  show: 'how far repairs are, and what they changed',
  pause: 'leave repairs alone for now',
  resume: 'go on with paused repairs',
  cancel: 'end repairs; their gaps are open again',
}

/** `millrace repair`: what do hosts have that we have not? */
export function repairCommand(): Command {
  const command = new Command('repair').description(
    'Compare the repos of hosts with ours, have those fetched that have moved, and prove the result. Backfillers do the work.',
  )
  withApiOptions(command)
    .option(
      '--since <time>',
      'only repos that have moved since: 2026-10-14, 2026-10-14T08:00:00Z, or 10d for so long ago',
      moment,
    )
    .option('--until <time>', 'only repos of which something from before may be missing', moment)
    .option('--host <host>', 'only this one (default: all that are read)')
    .option('--dry-run', 'only compare: nothing is marked or fetched', false)
    .option('--no-wait', 'plan it, and do not stay until its end')
    .option('--reason <text>', 'why, for the audit log')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
With --dry-run a backfiller compares where an admin server is asked, and this command itself where the stores are.
${apiEnvironmentHelp}
  MILLRACE_ALLOW_PRIVATE_HOSTS   with --dry-run, past a server: whether a host may be one of a private network

Exit codes:
  0  done, and nothing failed
  1  with --dry-run: there is something to fetch; else: repos could not be fetched, or a repair ended before
  2  the arguments or the environment do not hold
  3  neither an admin server nor the stores, or a host, can be reached
  130  stopped; backfillers go on with what was planned

Examples:
  millrace repair --dry-run             what is missing?
  millrace repair                       get it
  millrace repair --since 12d           after an outage that began less than 12 days ago
  millrace repair list                  the last ones`,
    )
    .action((flags: Record<string, unknown>, self: Command) => {
      const options: RepairCommandOptions = {
        ...readApiOptions(self),
        host: flags['host'] as string | undefined,
        since: flags['since'] as RepairCommandOptions['since'],
        until: flags['until'] as RepairCommandOptions['until'],
        dryRun: flags['dryRun'] as boolean,
        wait: flags['wait'] as boolean,
        reason: flags['reason'] as string | undefined,
      }
      return inThisProcess((host) => runRepair(options, host))
    })
  command
    .command('list')
    .description('the last repairs')
    .configureHelp({ showGlobalOptions: true })
    .action((_flags: unknown, self: Command) => inThisProcess((host) => runRepairList(readApiOptions(self), host)))
  for (const [action, description] of Object.entries(actions) as [RepairAction, string][])
    command
      .command(action)
      .description(description)
      .configureHelp({ showGlobalOptions: true })
      .addArgument(new Argument('<id...>', 'numbers of repairs').argParser(collectIds))
      .action((ids: number[], _flags: unknown, self: Command) =>
        inThisProcess((host) => {
          const { reason } = self.optsWithGlobals<{ reason?: string }>()
          return runRepairAction(action, ids, { ...readApiOptions(self), reason }, host)
        }),
      )
  return command
}

function collectIds(text: string, before: number[] = []): number[] {
  return [...before, positive(text)]
}

function moment(text: string): Date {
  const read = readMoment(text, Date.now())
  if (!read) throw new InvalidArgumentError('neither a time with its zone, nor a duration such as 12h or 10d')
  return read
}
