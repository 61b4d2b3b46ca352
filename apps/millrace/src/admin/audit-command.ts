import type { ListAuditOutput } from '@millrace/admin-api'
import { Command } from 'commander'
import { positive } from '../arguments.ts'
import { inThisProcess } from '../command-host.ts'
import { apiEnvironmentHelp, exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { runApiCommand } from './run-api-command.ts'
import { moment, shown } from './words.ts'

/** `millrace audit`: who changed what? */
export function auditCommand(): Command {
  return withApiOptions(new Command('audit'))
    .description('What people changed by admin methods, the newest first: who, what, why, and how to take it back.')
    .option('--method <name>', 'changes of this method alone, such as setCursor')
    .option('--limit <n>', 'how many, up to 500', positive, 50)
    .option('--before <id>', 'go on where a longer list ended')
    .addHelpText('after', `${apiEnvironmentHelp}\n${exitCodesHelp}`)
    .action((flags: { method?: string; limit: number; before?: string }, self: Command) =>
      inThisProcess((host) =>
        runApiCommand(readApiOptions(self), host, {
          ask: (api, signal) =>
            api.call('listAudit', { method: flags.method, limit: flags.limit, cursor: flags.before }, signal),
          render: renderAudit,
        }),
      ),
    )
}

export function renderAudit({ entries, cursor }: ListAuditOutput): string[] {
  if (entries.length === 0) return ['Nobody has changed anything by admin methods.']
  return [
    ...entries.flatMap(({ id, at, who, method, target, reason, before, after, undo }) => [
      `${id}  ${moment(at)}  ${shown(who)}: ${method} ${shown(target)}${reason === undefined ? '' : ` (${shown(reason)})`}`,
      `    ${shown(before)} -> ${shown(after)}`,
      ...(undo === undefined ? [] : [`    to take it back: ${shown(undo)}`]),
    ]),
    ...(cursor === undefined ? [] : [`There are more: --before ${cursor}`]),
  ]
}
