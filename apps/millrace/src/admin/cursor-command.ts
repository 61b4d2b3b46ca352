import type { Change, ListCursorsOutput, SetCursorOutput } from '@millrace/admin-api'
import { hostWithoutScheme, streams } from '@millrace/stream-protocol'
import { Command } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { moment, shown } from './words.ts'

/** `millrace cursor`: our place in each host. */
export function cursorCommand(): Command {
  const cursor = withApiOptions(new Command('cursor'))
    .description('Our place in each host, and how to set it.')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((_flags: unknown, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('listCursors', {}, signal),
          render: renderCursors,
        }),
      ),
    )
  withApiOptions(cursor.command('set'))
    .description('set our place in a host; without --yes only say what that would do')
    .argument('<host>', 'as `millrace cursor` lists it')
    .requiredOption('--to <place>', 'a sequence number, oldest (all that the host keeps), or live (its newest event)')
    .option('--stream <name>', 'the stream that it goes to', streams.firehoseLive)
    .option('--expect <cursor>', 'only if it is at this place now')
    .option('--reason <text>', 'why, for the audit log')
    .option('--yes', 'do so', false)
    .addHelpText(
      'after',
      `
Going back reads again what is there, which changes nothing. Going forward skips events: that is recorded as a gap, and
what has moved meanwhile is fetched. Ingesters notice at their next event, and need not be stopped.${exitCodesHelp}`,
    )
    .action((host: string, flags: SetFlags, self: Command) =>
      inThisProcess((process) =>
        runApiCommand(readApiOptions(self), process, {
          ask: (api, signal) => {
            const { to, stream, expect, reason, yes } = flags
            const confirm = yes ? { confirm: hostWithoutScheme(host) } : {}
            return api.call('setCursor', { host, stream, to, expect, reason, dryRun: !yes, ...confirm }, signal)
          },
          render: renderSetCursor,
          // A plan is not what was asked for.
          code: ({ change }) => (change.dryRun && change.changed > 0 ? 4 : 0),
        }),
      ),
    )
  return cursor
}

interface SetFlags {
  to: string
  stream: string
  expect?: string
  reason?: string
  yes: boolean
}

export function renderCursors({ cursors }: ListCursorsOutput): string[] {
  if (cursors.length === 0) return ['No ingester has said what it reads.']
  return alignColumns(
    [
      ['host', 'stream', 'last read', 'cursor', 'in the rows'],
      ...cursors.map(({ host, stream, seenAt, cursor, isDone, checkpoint }) => [
        shown(host),
        shown(stream),
        moment(seenAt),
        isDone ? 'all listed' : shown(cursor),
        shown(checkpoint),
      ]),
    ],
    3,
  )
}

export function renderSetCursor({ change }: SetCursorOutput): string[] {
  return renderChange(change, 'with --yes it is set')
}

/** What a change came to, and how to take it back. */
export function renderChange(change: Change, toDoIt: string): string[] {
  if (change.changed === 0) return [`Nothing changes: ${shown(change.summary)}.`]
  if (change.dryRun) return [`Would change: ${shown(change.summary)} (${toDoIt}).`]
  return [
    `Changed: ${shown(change.summary)}.`,
    ...(change.undo === undefined ? [] : [`To take it back: ${shown(change.undo)}`]),
  ]
}
