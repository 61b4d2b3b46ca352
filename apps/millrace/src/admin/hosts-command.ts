import type { GetHostOutput, Host, ListHostsOutput } from '@millrace/admin-api'
import { Command, Option } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { positive, wholeNumber } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { amount, moment, shown, span } from './words.ts'

/** `millrace hosts`: how do those stand that we ask? */
export function hostsCommand(): Command {
  return withApiOptions(new Command('hosts'))
    .description('Hosts that are read, and those that repos were fetched from lately: what they take, and what fails.')
    .argument('[host]', 'all about this one')
    .addOption(
      new Option('--sort <order>', 'those that fail first, or by name').choices(['name', 'failing']).default('failing'),
    )
    .option('--limit <n>', 'how many, up to 500', positive, 50)
    .option('--after <n>', 'go on where a longer list ended', wholeNumber)
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}\n\nOne is left alone with millrace pause <host>.`)
    .action((name: string | undefined, flags: Flags, self: Command) =>
      inThisProcess((host) => {
        const options = readApiOptions(self)
        if (name !== undefined)
          return runApiCommand(options, host, {
            ask: (api, signal) => api.call('getHost', { host: name }, signal),
            render: renderHost,
          })
        const { sort, limit, after } = flags
        return runApiCommand(options, host, {
          ask: (api, signal) =>
            api.call('listHosts', { sort, limit, cursor: after === undefined ? undefined : String(after) }, signal),
          render: renderHosts,
        })
      }),
    )
}

interface Flags {
  sort: 'name' | 'failing'
  limit: number
  after?: number
}

export function renderHosts({ hosts, cursor }: ListHostsOutput): string[] {
  if (hosts.length === 0) return ['No host was asked lately.']
  return [
    ...alignColumns(
      [
        ['host', 'state', 'read into', 'repos a minute', 'waits', 'failures', 'given up'],
        ...hosts.map(({ host, state, streams, perMinute, waitSeconds, failures, failedRepos }) => [
          shown(host),
          state,
          streams.length === 0 ? '-' : streams.map(shown).join(', '),
          perMinute === undefined ? '-' : amount(perMinute),
          span(waitSeconds),
          amount(failures),
          amount(failedRepos),
        ]),
      ],
      3,
    ),
    ...(cursor === undefined ? [] : [`There are more: --after ${cursor}`]),
  ]
}

export function renderHost({
  host,
  cursors,
  lastErrors,
  openGaps,
  repair,
  repairState,
  pause,
}: GetHostOutput): string[] {
  const lines = [`${shown(host.host)}: ${host.state}${pacing(host)}`]
  if (pause)
    lines.push(
      `  ${shown(pause.who)} paused it${pause.until === undefined ? '' : ` until ${moment(pause.until)}`}: ${shown(pause.reason)}`,
      `  > millrace resume ${shown(pause.name)} --kind host`,
    )
  for (const { stream, cursor, isDone, checkpoint, seenAt } of cursors)
    lines.push(
      `  ${shown(stream)}: ${isDone ? 'all listed' : `read up to ${shown(cursor)}, in the rows up to ${shown(checkpoint)}`}; last read ${moment(seenAt)}`,
    )
  if (openGaps > 0) lines.push(`  ${amount(openGaps)} gaps are open: millrace gaps`)
  if (repair !== undefined)
    lines.push(`  its last repair is ${repair}, ${shown(repairState)}: millrace repair show ${repair}`)
  lines.push(`  ${amount(host.failedRepos)} repos were given up`)
  for (const { letter, did, error, at } of lastErrors)
    lines.push(`    ${letter}  ${moment(at)}  ${shown(did)}  ${shown(error).slice(0, 200)}`)
  return lines
}

function pacing({ perMinute, waitSeconds, failures, failedAt }: Host): string {
  const parts = [
    ...(perMinute === undefined ? [] : [`about ${amount(perMinute)} repos a minute`]),
    ...(waitSeconds === undefined ? [] : [`left alone for ${span(waitSeconds)}`]),
    ...(failures === 0 ? [] : [`${amount(failures)} failures in a row, the last ${moment(failedAt)}`]),
  ]
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`
}
