import { isDid, isNsid } from '@millrace/stream-protocol'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { readDatabaseOptions, withDatabaseOptions } from '../database-options.ts'
import type { AddOptions } from './options.ts'
import { runAdd } from './run-add.ts'
import { runPause, runRetryFailed, runStatus } from './run-backfill.ts'

/** `millrace backfill`: the first fetch of repos, and what becomes of it. */
export function backfillCommand(): Command {
  const command = new Command('backfill')
    .description('Add repos to what is fetched, see how far that is, and hold it or go on. Backfillers do the work.')
    .option('--json', 'print as JSON, on standard output', false)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
Environment:
  DB_POSTGRES_URL                the Postgres to work on, schema DB_POSTGRES_SCHEMA (default bsky)
  MILLRACE_ALLOW_PRIVATE_HOSTS   with --collection: whether a host may be one of a private network

Exit codes:
  0  done; of status: nothing is left, or it goes on
  1  of status: repos were given up, or wait and no backfiller is there
  2  the arguments or the environment do not hold
  3  Postgres or a host cannot be reached
  130  stopped; what was added until then is fetched

Examples:
  millrace backfill add did:plc:z72i7hdynmk6r22z27h6tvur
  millrace backfill add --file dids.txt
  millrace backfill add --collection xyz.statusphere.status --host relay1.us-west.bsky.network
  millrace backfill status`,
    )
  withDatabaseOptions(command)
  add(command)
  part(command, 'status', 'how much waits, how fast it goes, and when it is done', runStatus)
  part(
    command,
    'pause',
    'fetch no repos but those that people asked for, that a firehose lost, or that repairs want',
    (options, host) => runPause(true, options, host),
  )
  part(command, 'resume', 'go on', (options, host) => runPause(false, options, host))
  part(command, 'retry-failed', 'fetch once more what was given up', runRetryFailed)
  return command
}

function add(command: Command): void {
  command
    .command('add')
    .description('have repos fetched, in place of or beside those that the ingester lists')
    .configureHelp({ showGlobalOptions: true })
    .addArgument(new Argument('[did...]', 'accounts').argParser(collect(isDid, 'not a DID')).default([]))
    .option('--file <path>', 'accounts of a file, a DID first in each line; - for standard input')
    .option(
      '--collection <nsid>',
      'all repos with records of it; may be repeated',
      collect(isNsid, 'not a collection'),
      [],
    )
    .option('--host <host>', 'the relay to ask for them (default: those that are read)')
    .option('--first', 'before all others', false)
    .action((dids: string[], flags: Record<string, unknown>, self: Command) => {
      const options: AddOptions = {
        ...readDatabaseOptions(self),
        dids,
        file: flags['file'] as string | undefined,
        collections: flags['collection'] as string[],
        host: flags['host'] as string | undefined,
        first: flags['first'] as boolean,
      }
      return inThisProcess((host) => runAdd(options, host))
    })
}

function part(command: Command, name: string, description: string, run: typeof runStatus): void {
  command
    .command(name)
    .description(description)
    .configureHelp({ showGlobalOptions: true })
    .action((_flags: unknown, self: Command) => inThisProcess((host) => run(readDatabaseOptions(self), host)))
}

function collect(isSuch: (text: unknown) => boolean, problem: string): (text: string, before?: string[]) => string[] {
  return (text, before = []) => {
    if (!isSuch(text)) throw new InvalidArgumentError(problem)
    return [...before, text]
  }
}
