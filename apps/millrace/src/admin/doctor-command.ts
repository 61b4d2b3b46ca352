import type { GetDoctorReportOutput } from '@millrace/admin-api'
import { Command } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { shown } from './words.ts'

/** `millrace doctor`: what is wrong, and what to do? */
export function doctorCommand(): Command {
  return withApiOptions(new Command('doctor'))
    .description('Check all that is known to go wrong: what was seen, what it means, and what to run.')
    .option('--all', 'show what is well, too', false)
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}\n\nWarnings alone are no problem to the exit code.`)
    .action((flags: { all: boolean }, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('getDoctorReport', {}, signal),
          render: (report) => renderDoctor(report, flags.all),
          code: ({ verdict }) => (verdict === 'fail' || verdict === 'unknown' ? 1 : 0),
        }),
      ),
    )
}

const signs: Readonly<Record<string, string | undefined>> = { ok: 'ok', warn: 'look', fail: 'WRONG', unknown: '?' }
const order = ['fail', 'unknown', 'warn', 'ok']

/** A diagnosis for people: what is worst comes first. A function of values. */
export function renderDoctor({ checks }: GetDoctorReportOutput, all: boolean): string[] {
  const told = checks
    .filter(({ verdict }) => all || verdict !== 'ok')
    .toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
  const lines = told.flatMap(({ title, verdict, evidence, meaning, command }) => [
    `${(signs[verdict] ?? verdict).padEnd(5)}  ${shown(title)}`,
    `       ${shown(evidence)}`,
    ...(meaning === undefined ? [] : [`       ${shown(meaning)}`]),
    ...(command === undefined ? [] : [`       > ${shown(command)}`]),
  ])
  const count = (verdict: string): number => checks.filter((check) => check.verdict === verdict).length
  const parts = [`${count('ok')} checks are well`]
  if (count('warn') > 0) parts.push(`${count('warn')} to look at`)
  if (count('fail') > 0) parts.push(`${count('fail')} wrong`)
  if (count('unknown') > 0) parts.push(`${count('unknown')} not known`)
  return [...lines, ...(lines.length > 0 ? [''] : []), `${parts.join(', ')}.`]
}
