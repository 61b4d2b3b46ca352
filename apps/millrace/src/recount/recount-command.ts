import { countTables, type CountTable } from '@millrace/indexing'
import { appBskyPlugins } from '@millrace/indexing-plugins'
import { Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, readApiOptions, withApiOptions } from '../admin/api-options.ts'
import type { RecountCommandOptions } from './options.ts'
import { runRecount } from './run-recount.ts'

const tables = countTables(appBskyPlugins)
const tableNames = tables.map(({ table }) => table)

/** `millrace recount`: are the counts what counting gives? */
export function recountCommand(): Command {
  return withApiOptions(new Command('recount'))
    .description(
      'Compare every count with what counting its rows gives, and correct what is wrong. Indexers may go on.',
    )
    .argument('[subject...]', 'DIDs, handles and AT-URIs whose counts to look at (default: all there are)')
    .option(
      '--table <name>',
      `only this table of counts, ${tableNames.join(' or ')}; may be repeated`,
      collectTables,
      [],
    )
    .option('--dry-run', 'only look: nothing is changed or locked', false)
    .option('--samples <n>', 'wrong counts to list of each column', wholeNumber, 10)
    .option('--after <position>', 'go on where an earlier recount stopped', position)
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      `
What is counted:
${tables.flatMap(whatIsCounted).join('\n')}
${apiEnvironmentHelp}

Exit codes:
  0  every count is right, or has been corrected
  1  with --dry-run: counts are wrong
  2  the arguments or the environment do not hold
  3  neither an admin server nor Postgres can be reached, or it does not have the tables
  130  stopped before the end

Examples:
  millrace recount --dry-run                       is anything wrong?
  millrace recount                                 correct it
  millrace recount alice.example                   one account`,
    )
    .action((subjects: string[], flags: Record<string, unknown>, self: Command) => {
      const options: RecountCommandOptions = {
        ...readApiOptions(self),
        subjects,
        tables: flags['table'] as string[],
        after: flags['after'] as RecountCommandOptions['after'],
        dryRun: flags['dryRun'] as boolean,
        samples: flags['samples'] as number,
        reason: flags['reason'] as string | undefined,
      }
      return inThisProcess((host) => runRecount(options, host))
    })
}

function whatIsCounted({ table, columns }: CountTable): string[] {
  return columns.map(({ column, rows }) => {
    const counted = rows.map(
      (each) => `${each.table} by ${each.of}${each.unless === undefined ? '' : `, unless ${each.unless}`}`,
    )
    return `  ${`${table}.${column}`.padEnd(28)} ${counted.join('; ')}`
  })
}

function collectTables(text: string, before: string[]): string[] {
  if (!tableNames.includes(text)) throw new InvalidArgumentError(`counts are in ${tableNames.join(' and ')}`)
  return [...before, text]
}

function position(text: string): string {
  if (!tableNames.includes(text.split('/', 1)[0]!))
    throw new InvalidArgumentError(`it begins with ${tableNames.join(' or ')}`)
  return text
}
