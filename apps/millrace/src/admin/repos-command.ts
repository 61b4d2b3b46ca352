import type { AdminApi, ListReposOutput } from '@millrace/admin-api'
import { Command, Option } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { positive } from '../arguments.ts'
import { inThisProcess, type CommandHost } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions, type ApiOptions } from './api-options.ts'
import { didsOf } from './read-subjects.ts'
import { renderRepo, renderVerified } from './repo-report.ts'
import { runApiCommand } from './run-api-command.ts'
import { moment, shown } from './words.ts'

const states = ['dirty', 'running', 'broken', 'hidden', 'all']

interface Flags {
  state: string
  limit: number
  after?: string
  verify: boolean
}

/** `millrace repos`: which accounts are in a state, and how does one of them stand? */
export function reposCommand(): Command {
  return withApiOptions(new Command('repos'))
    .description(
      'Accounts in some state, or one of them: what is kept about it, and whether its rows are those of its PDS.',
    )
    .argument('[account]', 'all about this one: a DID, a handle or an AT-URI')
    .option(
      '--verify',
      'fetch it from its PDS, and compare it record by record; exit code 1 unless it is the same',
      false,
    )
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
    .addHelpText(
      'after',
      `${apiEnvironmentHelp}\n${exitCodesHelp}\n\nWhy a record is not seen, \`millrace trace\` says.`,
    )
    .action((account: string | undefined, flags: Flags, self: Command) =>
      inThisProcess((host) => runRepos(account, flags, readApiOptions(self), host)),
    )
}

async function runRepos(
  account: string | undefined,
  { state, limit, after, verify }: Flags,
  options: ApiOptions,
  host: CommandHost,
): Promise<number> {
  if (account === undefined && verify) {
    host.stderr.write('millrace: --verify is for one account: say which\n')
    return 2
  }
  if (account === undefined)
    return await runApiCommand(options, host, {
      ask: (api, signal) => api.call('listRepos', { state, limit, cursor: after }, signal),
      render: renderRepos,
    })
  const didOf = async (api: AdminApi): Promise<string> => (await didsOf([account], api))[0]!
  if (verify)
    return await runApiCommand(options, host, {
      ask: async (api, signal) => await api.call('verifyRepo', { did: await didOf(api) }, signal),
      render: renderVerified,
      code: ({ result }) => (result === 'same' ? 0 : 1),
    })
  return await runApiCommand(options, host, {
    ask: async (api, signal) => await api.call('getRepo', { did: await didOf(api) }, signal),
    render: renderRepo,
  })
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
