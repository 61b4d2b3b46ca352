import type { ListEntriesOutput } from '@millrace/admin-api'
import { Command, InvalidArgumentError } from 'commander'
import { alignColumns } from '../align-columns.ts'
import { positive } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { readMoment } from '../repair/moment.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { didsOf } from './read-subjects.ts'
import { moment, shown } from './words.ts'

/** `millrace entries`: what stands in a stream? */
export function entriesCommand(): Command {
  return withApiOptions(new Command('entries'))
    .description('Entries of a stream, the oldest first, whoever has read them. Nobody is given them.')
    .argument('<stream>', 'such as firehose_live')
    .option('--did <account>', 'of this account alone: a DID, a handle or an AT-URI')
    .option('--collection <name>', 'of records of this collection alone')
    .option('--after <place>', 'only later ones: the id of an entry, a time, or so long ago, such as 10m', place)
    .option('--limit <n>', 'how many, up to 500', positive, 50)
    .addHelpText(
      'after',
      `${apiEnvironmentHelp}\n${exitCodesHelp}\n\nWith --did and --collection it looks at 10,000 entries, and says where to go on. --json has their fields as well.`,
    )
    .action((stream: string, { did, collection, after, limit }: Flags, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: async (api, signal) => {
            const [account] = did === undefined ? [] : await didsOf([did], api)
            return await api.call('listEntries', { stream, did: account, collection, limit, cursor: after }, signal)
          },
          render: renderEntries,
        }),
      ),
    )
}

interface Flags {
  did?: string
  collection?: string
  after?: string
  limit: number
}

function place(text: string): string {
  if (/^\d{1,15}-\d{1,20}$/.test(text)) return text
  const time = readMoment(text, Date.now())
  if (!time) throw new InvalidArgumentError('the id of an entry, a time with its zone, or a time span such as 10m')
  return `${time.getTime()}-0`
}

export function renderEntries({ entries, cursor }: ListEntriesOutput): string[] {
  const more = cursor === undefined ? [] : [`There are more: --after ${cursor}`]
  if (entries.length === 0) return [cursor === undefined ? 'There is nothing.' : 'Nothing so far.', ...more]
  const rows = entries.map(({ id, at, event }) => [id, moment(at), shown(event)])
  return [...alignColumns([['entry', 'appended', 'about'], ...rows], 3), ...more]
}
