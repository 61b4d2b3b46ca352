import type {
  ListAlertsOutput,
  SendTestAlertOutput,
  SilenceAlertOutput,
  UnsilenceAlertOutput,
} from '@millrace/admin-api'
import { Command } from 'commander'
import { timeSpan } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { renderChange } from './cursor-command.ts'
import { runApiCommand } from './run-api-command.ts'
import { moment, shown } from './words.ts'

/** `millrace alerts`: what is anybody told of? */
export function alertsCommand(): Command {
  const alerts = new Command('alerts')
    .description('What people are told of, and what they do not want to hear of for a while.')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
  withApiOptions(alerts.command('list', { isDefault: true }))
    .description('alarms that have begun, or will if they last, and silences')
    .action((_flags: unknown, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('listAlerts', {}, signal),
          render: renderAlerts,
          code: ({ alerts: found }) => (found.some(({ state }) => state === 'open') ? 1 : 0),
        }),
      ),
    )
  withApiOptions(alerts.command('silence'))
    .description('tell webhooks nothing of a kind of alarm for a while')
    .argument('<code>', 'such as group-stalled; docs/runbook.md lists them')
    .option('--subject <text>', 'only about this, as `millrace alerts` shows it')
    .requiredOption('--for <time>', 'for so long, such as 2h', timeSpan)
    .requiredOption('--reason <text>', 'why, for the audit log and for who is on duty next')
    .action((code: string, flags: { subject?: string; for: number; reason: string }, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) =>
            api.call(
              'silenceAlert',
              { code, subject: flags.subject, seconds: flags.for, reason: flags.reason },
              signal,
            ),
          render: ({ change }: SilenceAlertOutput) => renderChange(change, ''),
        }),
      ),
    )
  withApiOptions(alerts.command('unsilence'))
    .description('end a silence')
    .argument('<code>', 'as it was silenced')
    .option('--subject <text>', 'as it was silenced')
    .option('--reason <text>', 'why, for the audit log')
    .action((code: string, flags: { subject?: string; reason?: string }, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('unsilenceAlert', { code, ...flags }, signal),
          render: ({ change }: UnsilenceAlertOutput) => renderChange(change, ''),
        }),
      ),
    )
  withApiOptions(alerts.command('test'))
    .description('send a test to every webhook, and say what each answers; exit code 1 unless all take it')
    .action((_flags: unknown, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) => api.call('sendTestAlert', { reason: 'millrace alerts test' }, signal),
          render: renderTest,
          code: ({ deliveries }) =>
            deliveries.length > 0 && deliveries.every(({ isDelivered }) => isDelivered) ? 0 : 1,
        }),
      ),
    )
  alerts
    .command('print')
    .description('print the alarms as rules of Prometheus')
    .action(() =>
      inThisProcess(async ({ stdout }) => {
        const { prometheusRules } = await import('@millrace/diagnosis/prometheus')
        stdout.write(prometheusRules())
        return 0
      }),
    )
  return alerts
}

const order = ['open', 'pending', 'ended']

/** Alarms and silences for people. A function of values. */
export function renderAlerts({ alerts, silences, webhooks }: ListAlertsOutput): string[] {
  const lines = alerts
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.severity.localeCompare(b.severity))
    .flatMap(({ state, severity, code, subject, since, silencedUntil, message, meaning, command, runbook }) => [
      `${state.padEnd(7)}  ${severity.padEnd(6)}  ${code}${subject === '' ? '' : ` (${shown(subject)})`}: ${shown(message)}`,
      `                  since ${moment(since)}${silencedUntil === undefined ? '' : `, silenced until ${moment(silencedUntil)}`}. ${shown(meaning)}`,
      `                  > ${shown(command)}  ${runbook}`,
    ])
  if (alerts.length === 0) lines.push('There is no alarm.')
  lines.push(
    ...silences.map(
      ({ code, subject, reason, who, expiresAt }) =>
        `silenced until ${moment(expiresAt)}: ${shown(code)}${subject === undefined ? '' : ` (${shown(subject)})`}, by ${shown(who)} (${shown(reason)})`,
    ),
    webhooks.length === 0
      ? 'No webhook is told: set ADMIN_ALERT_WEBHOOKS.'
      : `Told: ${webhooks.map((name) => shown(name)).join(', ')}`,
  )
  return lines
}

function renderTest({ change, deliveries }: SendTestAlertOutput): string[] {
  return [
    ...deliveries.map(
      ({ webhook, isDelivered, why }) => `${shown(webhook)}: ${isDelivered ? 'has taken it' : `FAILED, ${shown(why)}`}`,
    ),
    ...renderChange(change, ''),
  ]
}
