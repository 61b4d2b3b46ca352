import type { GetStatusOutput } from '@millrace/admin-api'
import { ConfigError } from '@millrace/runtime/command'
import { Command } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { runTrim, withTrimOptions, type TrimFlags } from './trim-command.ts'
import { amount, shown, span } from './words.ts'

type Streams = GetStatusOutput['streams']

/** `millrace streams`: what is in them? */
export function streamsCommand(): Command {
  const command = look(
    new Command('streams').description('Each stream: how much is in it, and since when.'),
    renderStreams,
  )
  withTrimOptions(command.command('trim'))
    .description('drop entries that groups have not acked')
    .argument('<stream>', 'such as firehose_live')
    .action((stream: string, flags: TrimFlags, self: Command) => runTrim({ stream }, flags, self))
  return command
}

/** `millrace groups`: who reads? */
export function groupsCommand(): Command {
  const command = look(
    new Command('groups')
      .description('Each consumer group: what it has in hand, what it has not read, and how it gets on.')
      .argument('[stream]', 'of this stream alone'),
    renderGroups,
  )
  withTrimOptions(command.command('reset'))
    .description('have a group skip entries that it has not acked')
    .argument('<stream>', 'such as firehose_live')
    .argument('<group>', 'such as firehose_group')
    .action((stream: string, group: string, flags: TrimFlags, self: Command) => runTrim({ stream, group }, flags, self))
  return command
}

/** `millrace consumers`: who has what in hand? */
export function consumersCommand(): Command {
  return look(
    new Command('consumers')
      .description('Each consumer: what it has in hand, and when it was last heard of.')
      .argument('[stream]', 'of this stream alone')
      .argument('[group]', 'of this group alone'),
    renderConsumers,
  )
}

function look(command: Command, render: (streams: Streams) => string[]): Command {
  return withApiOptions(command)
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((...args: unknown[]) => {
      const self = args.at(-1) as Command
      const [stream, group] = self.args
      return inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: async (api, signal) => ({
            streams: only((await api.call('getStatus', {}, signal)).streams, stream, group),
          }),
          render: ({ streams }) => render(streams),
        }),
      )
    })
}

/** @throws {ConfigError} for what there is not: a slip of the pen would look as if nobody read it. */
function only(streams: Streams, stream: string | undefined, group: string | undefined): Streams {
  if (stream !== undefined && !streams.some(({ name }) => name === stream))
    throw new ConfigError([`there is no stream ${stream}; there are ${names(streams)}`])
  const groups = streams.filter(({ name }) => name === stream).flatMap((each) => each.groups)
  if (group !== undefined && !groups.some(({ name }) => name === group))
    throw new ConfigError([`${stream} has no group ${group}; it has ${names(groups)}`])
  return streams
    .filter(({ name }) => stream === undefined || name === stream)
    .map((each) => ({ ...each, groups: each.groups.filter(({ name }) => group === undefined || name === group) }))
}

function names(all: readonly { name: string }[]): string {
  return all.map(({ name }) => shown(name)).join(', ') || 'none'
}

export function renderStreams(streams: Streams): string[] {
  return alignColumns(
    [
      ['stream', 'first entry', 'last entry', 'entries', 'groups', 'first since', 'last since'],
      ...streams.map(({ name, firstId, lastId, length, groups, firstAgeSeconds, lastAgeSeconds }) => [
        shown(name),
        shown(firstId),
        shown(lastId),
        amount(length),
        amount(groups.length),
        span(firstAgeSeconds),
        span(lastAgeSeconds),
      ]),
    ],
    3,
  )
}

export function renderGroups(streams: Streams): string[] {
  const rows = streams.flatMap((stream) =>
    stream.groups.map((group) => [
      shown(stream.name),
      shown(group.name),
      group.verdict ?? '-',
      shown(group.lastDeliveredId),
      amount(group.pending),
      amount(group.undelivered),
      span(group.lagSeconds),
      amount(group.consumers.length),
    ]),
  )
  if (rows.length === 0) return ['No group reads it.']
  return alignColumns(
    [['stream', 'group', 'state', 'last given out', 'in hand', 'not read', 'behind', 'consumers'], ...rows],
    4,
  )
}

export function renderConsumers(streams: Streams): string[] {
  const rows = streams.flatMap((stream) =>
    stream.groups.flatMap((group) =>
      group.consumers.map(({ name, pending, idleSeconds }) => [
        shown(stream.name),
        shown(group.name),
        shown(name),
        amount(pending),
        span(idleSeconds),
      ]),
    ),
  )
  if (rows.length === 0) return ['No consumer was ever heard of.']
  return alignColumns([['stream', 'group', 'consumer', 'in hand', 'silent for'], ...rows], 3)
}
