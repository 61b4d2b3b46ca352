import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { DeadLetterFilter, DeadLetterState } from '@millrace/database'
import { describeError } from '@millrace/runtime'
import { isDid } from '@millrace/stream-protocol'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import { positive } from '../arguments.ts'
import { withDatabaseOptions } from '../database-options.ts'
import type { DlqRequest } from './options.ts'
import { runDlq } from './run-dlq.ts'

type Flags = Record<string, unknown>

const states: readonly DeadLetterState[] = ['kept', 'retry', 'replayed', 'discarded', 'purged']

/** `millrace dlq`: what was given up, and what is to become of it. */
export function dlqCommand(): Command {
  const dlq = new Command('dlq').description('Dead letters: what was given up, why, and what is to become of it.')

  filtered(dlq.command('summary', { isDefault: true }), { state: true })
    .description('like letters together, the most frequent first (what `millrace dlq` alone shows)')
    .action((flags: Flags) => run({ command: 'summary', filter: filterOf(flags) }, flags))
  filtered(dlq.command('list'), { state: true })
    .description('letters one by one, the newest first')
    .option('--limit <n>', 'how many', positive, 50)
    .action((flags: Flags) => run({ command: 'list', filter: filterOf(flags), limit: flags['limit'] as number }, flags))
  reaching(dlq.command('show'))
    .description('one letter, whole')
    .addArgument(new Argument('<id>', 'its number').argParser(positive))
    .option('--payload', 'print the payload alone, as it is', false)
    .action((id: number, flags: Flags) => run({ command: 'show', id, payload: flags['payload'] as boolean }, flags))
  filtered(dlq.command('retry'), { all: true })
    .description('have an indexer take letters once more')
    .addArgument(idsArgument())
    .option('--dry-run', 'only say which can be put back', false)
    .action((ids: number[], flags: Flags) =>
      run({ command: 'retry', filter: filterOf(flags, ids), dryRun: flags['dryRun'] as boolean }, flags),
    )
  reaching(dlq.command('edit'))
    .description('put another payload in place of a letter’s, and have an indexer take it')
    .addArgument(new Argument('<id>', 'its number').argParser(positive))
    .requiredOption('--payload <file>', 'the event as JSON; - reads standard input')
    .action(async (id: number, flags: Flags, command: Command) =>
      run({ command: 'edit', id, payload: await payloadOf(flags['payload'] as string, command) }, flags),
    )
  filtered(dlq.command('discard'), { all: true })
    .description('settle letters without another try; they stay for the record')
    .addArgument(idsArgument())
    .option('--yes', 'do so; without it, only count them', false)
    .action((ids: number[], flags: Flags) =>
      run({ command: 'discard', filter: filterOf(flags, ids), yes: flags['yes'] as boolean }, flags),
    )
  return dlq.addHelpText('after', help)
}

const help = `
A letter is kept until somebody decides about it. One that is put back (retry) is read by an indexer as if it had come
from its stream once more: it is replayed then, or kept again with one attempt more. What is deleted meanwhile is purged.

Environment:
  DB_POSTGRES_URL              the Postgres to work on, schema DB_POSTGRES_SCHEMA (default bsky)
  INDEXER_STREAMS, INDEXER_LABEL_STREAM   as the indexers have them, if they do

Exit codes:
  0  done
  1  no such letter, some cannot be put back, or --yes is missing
  2  the arguments, the payload or the environment do not hold
  3  Postgres cannot be reached, or does not have the tables

Examples:
  millrace dlq                                     what is there, and why?
  millrace dlq list --fingerprint 1f0c5c9a2b7e     what is behind one line of it
  millrace dlq retry --reason invalid-record       after what refused them was mended
  millrace dlq show 7 --payload >7.json            and, once that is put right:
  millrace dlq edit 7 --payload 7.json
  millrace dlq discard --reason bad-json --yes`

/** What every command of these takes. */
function reaching(command: Command): Command {
  return withDatabaseOptions(command.option('--json', 'print the answer as JSON, on standard output', false))
}

function filtered(command: Command, { all = false, state = false }: { all?: boolean; state?: boolean }): Command {
  command
    .option('--stream <name>', 'letters of this stream')
    .option('--reason <word>', 'letters with this reason')
    .option('--fingerprint <hash>', 'letters that are like each other')
    .option('--did <did>', 'letters of this account', did)
  if (state) command.addOption(new Option('--state <state>', 'letters of which this was decided').choices(states))
  if (all) command.option('--all', 'all that nobody has decided about', false)
  return reaching(command)
}

function idsArgument(): Argument {
  return new Argument('[id...]', 'numbers of letters').argParser((value: string, before: number[] | undefined) => [
    ...(before ?? []),
    positive(value),
  ])
}

function did(value: string): string {
  if (!isDid(value)) throw new InvalidArgumentError('not a DID')
  return value
}

function filterOf(flags: Flags, ids: readonly number[] = []): DeadLetterFilter {
  const { stream, reason, fingerprint, did, state, all } = flags as Record<string, string | undefined>
  return {
    ...(stream !== undefined && { stream }),
    ...(reason !== undefined && { reason }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(did !== undefined && { did }),
    ...(state !== undefined && { states: [state as DeadLetterState] }),
    ...(all && ids.length === 0 && { states: ['kept'] as const }),
    ...(ids.length > 0 && { ids }),
  }
}

async function payloadOf(file: string, command: Command): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    return command.error(`error: --payload cannot be read: ${describeError(error)}`)
  }
}

async function run(request: DlqRequest, flags: Flags): Promise<void> {
  const { database, data, json } = flags as { database: string | undefined; data: string; json: boolean }
  process.exitCode = await runDlq(
    request,
    { database, data, json },
    { env: process.env, stdout: process.stdout, stderr: process.stderr },
  )
}
