import type { ListPendingOutput } from '@millrace/admin-api'
import { Command } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { positive, timeSpan } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { shown, span } from './words.ts'

/** `millrace pending`: what is in hand, and of whom? */
export function pendingCommand(): Command {
  return withApiOptions(new Command('pending'))
    .description('Entries that a consumer was given and has not acked, the oldest first.')
    .argument('<stream>', 'such as firehose_live')
    .argument('<group>', 'such as firehose_group')
    .option('--consumer <name>', 'in the hands of this one')
    .option('--idle <time>', 'for at least so long, such as 10m', timeSpan, 0)
    .option('--limit <n>', 'how many, up to 500', positive, 50)
    .option('--after <id>', 'go on where a longer list ended')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action(
      (
        stream: string,
        group: string,
        flags: { consumer?: string; idle: number; limit: number; after?: string },
        self: Command,
      ) =>
        inThisProcess((host) =>
          runApiCommand(readApiOptions(self), host, {
            ask: (api, signal) =>
              api.call(
                'listPending',
                {
                  stream,
                  group,
                  consumer: flags.consumer,
                  minIdleSeconds: flags.idle,
                  limit: flags.limit,
                  cursor: flags.after,
                },
                signal,
              ),
            render: renderPending,
          }),
        ),
    )
}

export function renderPending({ entries, cursor }: ListPendingOutput): string[] {
  if (entries.length === 0) return ['Nothing is in hand.']
  return [
    ...alignColumns(
      [
        ['entry', 'consumer', 'about', 'given out', 'in hand for'],
        ...entries.map(({ id, consumer, event, deliveries, idleSeconds }) => [
          id,
          shown(consumer),
          event === undefined ? 'GONE from the stream' : shown(event),
          deliveries === undefined ? '-' : `${deliveries}`,
          span(idleSeconds),
        ]),
      ],
      3,
    ),
    ...(cursor === undefined ? [] : [`There are more: --after ${cursor}`]),
  ]
}
