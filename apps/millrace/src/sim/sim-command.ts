import type { FaultList, FaultName, FaultRequest } from '@millrace/dev-network'
import { Argument, Command } from 'commander'
import { shown } from '../admin/words.ts'
import { alignColumns } from '../align-columns.ts'
import { positive, wholeNumber } from '../arguments.ts'
import { explainFailure, inThisProcess, type CommandHost } from '../command-host.ts'
import { askControl, type ControlQuestion } from './ask-control.ts'

/** What each does, for people. */
const faults: Readonly<Record<FaultName, string>> = {
  'not-found': 'the PDS says that it has no such repo',
  deactivated: 'the PDS says that the account is deactivated',
  takendown: 'the PDS says that the account is taken down',
  suspended: 'the PDS says that the account is suspended',
  throttled: 'the PDS answers 429, with --retry-after',
  error: 'the PDS answers 500, or --status',
  cut: 'the connection ends after --bytes of the repo',
  stall: 'nothing more comes after --bytes of the repo',
  'corrupt-block': 'one byte of one record differs',
  'other-key': 'the repo is signed by a key that its account does not have',
  'other-did': 'the repo is that of another account',
  'identity-not-found': 'the directory does not know the account',
  'identity-error': 'the directory answers 500, or --status',
  'identity-stall': 'the directory does not answer',
  hold: 'relay or labeler: nothing new is sent until it is cleared',
  drop: 'relay or labeler: cuts all connections, once',
}

const notes = `
Targets:
  a DID or a handle, a PDS as \`millrace sim fault list\` says it, relay, labeler

Faults:
${alignColumns(
  Object.entries(faults).map(([name, what]) => [`  ${name}`, what]),
  2,
).join('\n')}`

const exitCodes = `
Exit codes:
  0  done
  2  the arguments do not hold
  3  no \`millrace up\` with a simulated network runs in the folder`

/** `millrace sim fault`: what goes wrong in the simulated network of a `millrace up` that runs? */
export function simCommand(): Command {
  const sim = new Command('sim').description('The simulated network of a `millrace up` that runs on this machine.')
  const fault = sim.command('fault').description('what goes wrong in it')
  withOptions(fault.command('list', { isDefault: true }))
    .description('the faults that are on')
    .action((flags: Flags) => run(flags, { method: 'GET' }))
  withOptions(fault.command('set'))
    .description('have something go wrong')
    .argument('<target>', 'where')
    .addArgument(new Argument('<fault>', 'what').choices(Object.keys(faults)))
    .option('--times <n>', 'so many requests, and no more (default: until it is cleared)', positive)
    .option('--status <n>', 'status of an error', wholeNumber)
    .option('--retry-after <seconds>', 'when to ask again', wholeNumber)
    .option('--bytes <n>', 'of a repo, before it ends', wholeNumber)
    .addHelpText('after', notes)
    .action((target: string, name: FaultName, { times, status, retryAfter, bytes, ...flags }: SetFlags) =>
      run(flags, {
        method: 'POST',
        fault: { target, fault: name, times, status, retryAfterSeconds: retryAfter, bytes },
      }),
    )
  withOptions(fault.command('clear'))
    .description('have all be well again, or one target')
    .argument('[target]', 'this one alone')
    .action((target: string | undefined, flags: Flags) => run(flags, { method: 'DELETE', target }))
  return sim
}

interface Flags {
  data: string
  json: boolean
}

interface SetFlags extends Flags {
  times?: number
  status?: number
  retryAfter?: number
  bytes?: number
}

function withOptions(command: Command): Command {
  return command
    .option('--data <folder>', 'folder of `millrace up`', process.env['MILLRACE_DATA_DIR'] ?? '.millrace')
    .option('--json', 'print the faults that are on then as JSON, on standard output', false)
    .addHelpText('after', exitCodes)
}

function run(flags: Flags, question: ControlQuestion): Promise<void> {
  return inThisProcess((host) => runSim(flags, host, question))
}

async function runSim({ data, json }: Flags, host: CommandHost, question: ControlQuestion): Promise<number> {
  try {
    const list = await askControl(data, question, host.signal)
    if (json) host.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`)
    else for (const line of renderFaults(list, question)) host.stdout.write(`${line}\n`)
    return 0
  } catch (error) {
    return host.signal.aborted ? 130 : explainFailure(error, host.stderr)
  }
}

export function renderFaults({ faults: on, hosts }: FaultList, question: ControlQuestion): string[] {
  const rows = on.map(({ target, fault, left }) => [
    shown(target),
    shown(fault),
    left === undefined ? 'until it is cleared' : `${left} times more`,
  ])
  return [
    ...(rows.length === 0 ? ['All is well.'] : alignColumns([['where', 'fault', 'lasts'], ...rows], 3)),
    ...(question.method === 'GET' ? [`PDSs: ${hosts.join(', ')}`] : []),
    ...(question.method === 'POST' ? [howToEnd(question.fault)] : []),
  ]
}

function howToEnd({ target, fault }: FaultRequest): string {
  if (fault === 'drop') return `The connections of ${shown(target)} were cut; whoever wants to comes back.`
  return `To take it back: millrace sim fault clear ${shown(target)}`
}
