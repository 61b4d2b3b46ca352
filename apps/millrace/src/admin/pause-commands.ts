import type { ListPausesOutput } from '@millrace/admin-api'
import { Command, Option } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { timeSpan } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { renderChange } from './cursor-command.ts'
import { runApiCommand } from './run-api-command.ts'
import { amount, moment, shown } from './words.ts'

const kinds = ['role', 'group', 'host', 'collection'] as const
type Kind = (typeof kinds)[number]

const help = `
What can be paused:
  a role         ingester, backfiller or indexer: it reads nothing, and keeps what it has
  a group        such as firehose_group: none of its members reads
  a host         it is not read, not listed, and not asked for repos; what is under way is finished
  a collection   such as app.bsky.feed.like: its records are kept in the table record alone. Once it goes on, the repos of
                 those accounts are fetched and their rows made: nothing is lost. Deletions are done at once

Processes that have the database obey within seconds, also after a restart, and go on by themselves when the time is over.`

/** `millrace pause`: leave something alone. */
export function pauseCommand(): Command {
  return target(new Command('pause'), '[target]')
    .description('Leave a role, a group, a host or a collection alone for a while; without one, list what is paused.')
    .option('--for <time>', 'go on by itself after so long, such as 1h; without it, once it is resumed', timeSpan)
    .option('--reason <text>', 'why: told to whoever wonders that it stands still')
    .addHelpText('after', `${help}\n${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((name: string | undefined, flags: Flags & { for?: number }, self: Command) =>
      inThisProcess((host) => {
        const options = readApiOptions(self)
        if (name === undefined)
          return runApiCommand(options, host, {
            ask: (api, signal) => api.call('listPauses', {}, signal),
            render: renderPauses,
          })
        const { for: forSeconds, reason, kind, dryRun } = flags
        if (reason === undefined) self.error('error: --reason is missing: those who find it standing still will ask')
        return runApiCommand(options, host, {
          ask: (api, signal) => api.call('pause', { target: name, kind, forSeconds, reason, dryRun }, signal),
          render: ({ change }) => renderChange(change, 'without --dry-run it is paused'),
        })
      }),
    )
}

/** `millrace resume`: go on. */
export function resumeCommand(): Command {
  return target(new Command('resume'), '<target>')
    .description('Go on with what was paused.')
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((name: string, { kind, reason, dryRun }: Flags, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('resume', { target: name, kind, reason, dryRun }, signal),
          render: ({ change }) => renderChange(change, 'without --dry-run it goes on'),
        }),
      ),
    )
}

interface Flags {
  kind?: Kind
  reason?: string
  dryRun: boolean
}

function target(command: Command, argument: string): Command {
  return withApiOptions(command)
    .argument(argument, 'a role, a group, a host or a collection')
    .addOption(new Option('--kind <kind>', 'what it is, where its name does not tell').choices(kinds))
    .option('--dry-run', 'only say what that would do', false)
}

export function renderPauses({ pauses }: ListPausesOutput): string[] {
  if (pauses.length === 0) return ['Nothing is paused.']
  return alignColumns(
    [
      ['kind', 'name', 'since', 'until', 'by', 'because', 'accounts'],
      ...pauses.map(({ kind, name, since, until, isOver, who, reason, accounts }) => [
        kind,
        shown(name),
        moment(since),
        isOver ? 'over' : until === undefined ? 'resumed' : moment(until),
        shown(who),
        shown(reason),
        accounts === undefined ? '-' : amount(accounts),
      ]),
    ],
    6,
  )
}
