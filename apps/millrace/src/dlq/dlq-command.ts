import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { describeError } from '@millrace/runtime/command'
import { Argument, Command, Option } from 'commander'
import { positive } from '../arguments.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from '../admin/api-options.ts'
import { inThisProcess } from '../command-host.ts'
import type { ChosenLetters, DlqRequest, LetterTraits } from './options.ts'
import { runDlq } from './run-dlq.ts'

interface Flags {
  stream?: string
  reason?: string
  fingerprint?: string
  did?: string
  state?: string
}

interface ChangeFlags extends Flags {
  all?: boolean
  because?: string
}

const states = ['kept', 'retry', 'replayed', 'discarded', 'purged']

/** `millrace dlq`: what was given up, and what is to become of it. */
export function dlqCommand(): Command {
  const dlq = new Command('dlq').description('Dead letters: what was given up, why, and what is to become of it.')

  filtered(dlq.command('summary', { isDefault: true }), { state: true })
    .description('like letters together, the most frequent first (what `millrace dlq` alone shows)')
    .action((flags: Flags, self: Command) => run({ command: 'summary', filter: listFilterOf(flags) }, self))
  filtered(dlq.command('list'), { state: true })
    .description('letters one by one, the newest first')
    .option('--limit <n>', 'how many, up to 500', positive, 50)
    .option('--after <id>', 'go on where a longer list ended')
    .action((flags: Flags & { limit: number; after?: string }, self: Command) =>
      run({ command: 'list', filter: listFilterOf(flags), limit: flags.limit, after: flags.after }, self),
    )
  withApiOptions(dlq.command('show'))
    .description('one letter, whole')
    .addArgument(new Argument('<id>', 'its number').argParser(positive))
    .option('--payload', 'print the payload alone, as it is', false)
    .action((id: number, flags: { payload: boolean }, self: Command) =>
      run({ command: 'show', id, payload: flags.payload }, self),
    )
  filtered(dlq.command('export'), { state: true })
    .description('letters with their payloads, one JSON object to a line')
    .action((flags: Flags, self: Command) => run({ command: 'export', filter: listFilterOf(flags) }, self))
  filtered(reasoned(dlq.command('retry')), { all: true })
    .description('have an indexer take letters once more')
    .addArgument(idsArgument())
    .option('--dry-run', 'only say which can be put back', false)
    .action((ids: number[], flags: ChangeFlags & { dryRun: boolean }, self: Command) =>
      run({ command: 'retry', filter: chosen(flags, ids), dryRun: flags.dryRun, reason: flags.because }, self),
    )
  withApiOptions(reasoned(dlq.command('edit')))
    .description('put another payload in place of a letter’s, and have an indexer take it')
    .addArgument(new Argument('<id>', 'its number').argParser(positive))
    .requiredOption('--payload <file>', 'the event as JSON; - reads standard input')
    .action(async (id: number, flags: ChangeFlags & { payload: string }, self: Command) =>
      run({ command: 'edit', id, payload: await payloadOf(flags.payload, self), reason: flags.because }, self),
    )
  filtered(reasoned(dlq.command('discard')), { all: true })
    .description('settle letters without another try; they stay for the record')
    .addArgument(idsArgument())
    .option('--yes', 'do so; without it, only count them', false)
    .action((ids: number[], flags: ChangeFlags & { yes: boolean }, self: Command) =>
      run({ command: 'discard', filter: chosen(flags, ids), yes: flags.yes, reason: flags.because }, self),
    )
  return dlq.addHelpText('after', help)
}

const help = `
A letter is kept until somebody decides about it. One that is put back (retry) is read by an indexer as if it had come
from its stream once more: it is replayed then, or kept again with one attempt more. What is deleted meanwhile is purged.

${apiEnvironmentHelp.trim()}
${exitCodesHelp}

Examples:
  millrace dlq                                     what is there, and why?
  millrace dlq list --fingerprint 1f0c5c9a2b7e     what is behind one line of it
  millrace dlq retry --reason invalid-record       after what refused them was mended
  millrace dlq show 7 --payload >7.json            and, once that is put right:
  millrace dlq edit 7 --payload 7.json
  millrace dlq discard --reason bad-json --yes
  millrace dlq export >letters.jsonl`

/** `--reason` is that of letters. */
function reasoned(command: Command): Command {
  return command.option('--because <text>', 'why, for the audit log')
}

function filtered(command: Command, { all = false, state = false }: { all?: boolean; state?: boolean }): Command {
  command
    .option('--stream <name>', 'letters of this stream')
    .option('--reason <word>', 'letters with this reason')
    .option('--fingerprint <hash>', 'letters that are like each other')
    .option('--did <account>', 'letters of this account: a DID, a handle or an AT-URI')
  if (state) command.addOption(new Option('--state <state>', 'letters of which this was decided').choices(states))
  if (all) command.option('--all', 'all that nobody has decided about', false)
  return withApiOptions(command)
}

function idsArgument(): Argument {
  return new Argument('[id...]', 'numbers of letters').argParser((value: string, before: number[] | undefined) => [
    ...(before ?? []),
    positive(value),
  ])
}

function traitsOf({ stream, reason: reasonCode, fingerprint, did }: Flags): LetterTraits {
  return { stream, reasonCode, fingerprint, did }
}

function listFilterOf(flags: Flags): LetterTraits & { state?: string | undefined } {
  return { ...traitsOf(flags), state: flags.state }
}

/** What is named by its number is meant, whatever else is said. */
function chosen(flags: ChangeFlags, ids: readonly number[]): ChosenLetters {
  return { ...traitsOf(flags), ...(ids.length > 0 ? { ids } : flags.all && { all: true }) }
}

async function payloadOf(file: string, command: Command): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    return command.error(`error: --payload cannot be read: ${describeError(error)}`)
  }
}

async function run(request: DlqRequest, self: Command): Promise<void> {
  await inThisProcess((host) => runDlq(request, readApiOptions(self), host))
}
