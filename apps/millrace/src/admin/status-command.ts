import type { GetStatusOutput } from '@millrace/admin-api'
import { sleep } from '@millrace/stream-protocol'
import { Command } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { inThisProcess, type CommandHost } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions, type ApiOptions } from './api-options.ts'
import { runApiCommand, type ApiCommand } from './run-api-command.ts'
import { amount, moment, shown, span } from './words.ts'

/** Between two looks, in milliseconds. */
const WATCH_MS = 2_000

/** `millrace status`: how does the pipeline stand? */
export function statusCommand(): Command {
  return withApiOptions(new Command('status'))
    .description('How the pipeline stands: streams, groups, hosts, and what should be looked at.')
    .option('--watch', 'look again every two seconds, until Ctrl-C', false)
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((flags: { watch: boolean }, self: Command) =>
      inThisProcess((host) =>
        flags.watch ? watch(readApiOptions(self), host) : runApiCommand(readApiOptions(self), host, status),
      ),
    )
}

const status: ApiCommand<GetStatusOutput> = {
  ask: (api, signal) => api.call('getStatus', {}, signal),
  render: renderStatus,
  code: (value) => (value.status === 'ok' ? 0 : 1),
}

async function watch(options: ApiOptions, host: CommandHost): Promise<number> {
  let code = 0
  while (!host.signal.aborted) {
    // A terminal shows the newest look alone.
    if (host.stderr.isTTY && !options.json) host.stdout.write('\u001b[2J\u001b[H')
    code = await runApiCommand(options, host, status)
    if (code > 1) return code
    await sleep(WATCH_MS, host.signal)
  }
  return code
}

/** A status for people. A function of values. */
export function renderStatus({
  status,
  problems,
  store,
  streams,
  cursors,
  database,
  pauses = [],
}: GetStatusOutput): string[] {
  const lines = [`${status}: ${problems.length === 0 ? 'nothing to look at' : `${problems.length} to look at`}`]
  lines.push(
    ...problems.flatMap(({ severity, code, message, command, since }) => [
      `  ${severity.padEnd(6)}  ${code}: ${shown(message)}`,
      `          since ${moment(since)}  > ${shown(command)}`,
    ]),
    '',
  )
  for (const { kind, name, reason, until } of pauses)
    lines.push(
      `paused: ${kind} ${shown(name)}${until === undefined ? '' : ` until ${moment(until)}`} (${shown(reason)})`,
    )
  if (pauses.length > 0) lines.push('')
  const rows = streams.flatMap((stream) =>
    stream.groups.length === 0
      ? [[shown(stream.name), 'no group', '-', amount(stream.length), '0', span(stream.lagSeconds)]]
      : stream.groups.map((group) => [
          shown(stream.name),
          shown(group.name),
          group.verdict ?? '-',
          amount(stream.length),
          amount(group.pending),
          span(group.lagSeconds),
        ]),
  )
  lines.push(...alignColumns([['stream', 'group', 'state', 'entries', 'in hand', 'behind'], ...rows], 3))
  if (cursors.length > 0)
    lines.push(
      '',
      ...alignColumns(
        [
          ['host', 'stream', 'cursor'],
          ...cursors.map(({ host, stream, cursor, done }) => [
            shown(host),
            shown(stream),
            done ? 'all listed' : shown(cursor),
          ]),
        ],
        2,
      ),
    )
  if (database) {
    const letters = database.deadLetters.reduce((sum, { count }) => sum + count, 0)
    lines.push(
      '',
      `${amount(letters)} dead letters, ${amount(database.dirty.count)} accounts to fetch, ${amount(database.gaps.length)} gaps`,
    )
  }
  lines.push(
    `streams in ${store.kind} ${shown(store.location)}${database ? `, rows in ${shown(database.location)}` : ''}`,
  )
  if (problems.length > 0) lines.push('What that means, and what to do: docs/runbook.md, and millrace doctor')
  return lines
}
