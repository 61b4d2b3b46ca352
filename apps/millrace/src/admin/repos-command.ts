import type { ListReposOutput } from '@millrace/admin-api'
import { Command, Option } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { positive } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { moment, shown } from './words.ts'

const states = ['dirty', 'running', 'broken', 'hidden', 'all']

/** `millrace repos`: which accounts are in a state? */
export function reposCommand(): Command {
  return withApiOptions(new Command('repos'))
    .description('Accounts in some state. What is with one of them, `millrace trace` says.')
    .addOption(
      new Option(
        '--state <state>',
        'dirty: to be fetched; running: being applied; broken: something may be missing; hidden: not shown',
      )
        .choices(states)
        .default('dirty'),
    )
    .option('--limit <n>', 'how many, up to 500', positive, 50)
    .option('--after <did>', 'go on where a longer list ended')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((flags: { state: string; limit: number; after?: string }, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) =>
            api.call('listRepos', { state: flags.state, limit: flags.limit, cursor: flags.after }, signal),
          render: renderRepos,
        }),
      ),
    )
}

export function renderRepos({ repos, cursor }: ListReposOutput): string[] {
  if (repos.length === 0) return ['There is none.']
  return [
    ...alignColumns(
      [
        ['account', 'handle', 'state', 'since', 'next', 'because', 'tried'],
        ...repos.map(({ did, handle, state, since, nextAt, reason, lastError, attempts }) => [
          shown(did),
          shown(handle),
          state,
          moment(since),
          moment(nextAt),
          `${shown(reason)}${lastError === undefined ? '' : `: ${shown(lastError).slice(0, 60)}`}`,
          attempts === undefined ? '-' : `${attempts}`,
        ]),
      ],
      6,
    ),
    ...(cursor === undefined ? [] : [`There are more: --after ${cursor}`]),
  ]
}
