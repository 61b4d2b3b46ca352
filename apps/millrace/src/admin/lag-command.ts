import type { GetLagOutput } from '@millrace/admin-api'
import { Command } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { amount, shown, span } from './words.ts'

/** `millrace lag`: how far behind is it, and what will be lost when? */
export function lagCommand(): Command {
  return withApiOptions(new Command('lag'))
    .description('How far each group is behind, and how long hosts keep what was not read.')
    .addHelpText(
      'after',
      `${apiEnvironmentHelp}\n${exitCodesHelp}\n\n"time to loss" is how long until the host forgets the event after our cursor, if nothing is read meanwhile.`,
    )
    .action((_flags: unknown, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('getLag', {}, signal),
          render: renderLag,
          code: ({ groups, hosts }) =>
            groups.some(({ verdict }) => verdict === 'stalled' || verdict === 'stopped') ||
            hosts.some(({ position }) => position === 'outdated' || position === 'future' || position === 'away')
              ? 1
              : 0,
        }),
      ),
    )
}

const positions: Readonly<Record<string, string | undefined>> = {
  within: 'there',
  outdated: 'FORGOTTEN',
  future: 'BEYOND ITS END',
  none: 'no cursor',
  away: 'NO ANSWER',
}

/** Lag for people. A function of values. */
export function renderLag({ groups, hosts }: GetLagOutput): string[] {
  const lines = alignColumns(
    [
      ['stream', 'group', 'state', 'waiting', 'behind'],
      ...groups.map(({ stream, group, verdict, waiting, behindSeconds }) => [
        shown(stream),
        shown(group),
        verdict,
        amount(waiting),
        span(behindSeconds),
      ]),
    ],
    3,
  )
  if (hosts.length === 0) return lines
  return [
    ...lines,
    '',
    ...alignColumns(
      [
        ['host', 'stream', 'after our cursor', 'cursor', 'in the rows', 'behind', 'time to loss'],
        ...hosts.map(({ host, stream, position, cursor, checkpoint, behindSeconds, timeToLossSeconds }) => [
          shown(host),
          shown(stream),
          positions[position] ?? position,
          shown(cursor),
          shown(checkpoint),
          span(behindSeconds),
          span(timeToLossSeconds),
        ]),
      ],
      3,
    ),
  ]
}
