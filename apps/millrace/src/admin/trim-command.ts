import type { AdminApi, ApplyTrimOutput, PlanTrimOutput } from '@millrace/admin-api'
import type { Command } from 'commander'
import { inThisProcess } from '../command-host.ts'
import { readMoment } from '../repair/moment.ts'
import { exitCodesHelp, readApiOptions, withApiOptions } from './api-options.ts'
import { renderChange } from './cursor-command.ts'
import { runApiCommand } from './run-api-command.ts'
import { amount, moment, shown } from './words.ts'

export interface TrimFlags {
  to: string
  acceptLoss: boolean
  reason?: string
}

const help = `
What every group has acked is gone by itself. What is left somebody waits for: nothing of it goes but with --accept-loss.
Then each entry becomes a dead letter before it goes (millrace dlq list --reason skipped; millrace dlq retry puts it back),
and a gap is noted for the stream, so that all hosts are compared. A group with a consumer that was heard of in the last
minutes is refused. There is no way back to what was acked: millrace cursor set, or millrace repair.${exitCodesHelp}`

/** The options of a command that drops entries of a stream. */
export function withTrimOptions(command: Command): Command {
  return withApiOptions(command)
    .requiredOption('--to <place>', 'end, the id of the last entry to drop, a time, or so long ago, such as 2h', place)
    .option('--accept-loss', 'drop what is not acked; without it, only say what that would be', false)
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText('after', help)
}

function place(text: string): string {
  return readMoment(text, Date.now())?.toISOString() ?? text
}

/** Plans, and with `--accept-loss` drops, a part after the other. */
export async function runTrim(
  target: { stream: string; group?: string },
  { to, acceptLoss, reason }: TrimFlags,
  self: Command,
): Promise<void> {
  await inThisProcess((host) =>
    runApiCommand<TrimAnswer>(readApiOptions(self), host, {
      ask: async (api, signal) => {
        const plan = await api.call('planTrim', { ...target, to }, signal)
        const isLost = plan.groups.some(({ loses }) => loses > 0)
        if (!acceptLoss || !isLost || plan.to === undefined) return { plan }
        return { plan, done: await dropAll(target, { to: plan.to, reason }, api, signal) }
      },
      render: renderTrim,
      // A plan is not what was asked for.
      code: ({ plan, done }) => (!done && plan.groups.some(({ loses }) => loses > 0) ? 4 : 0),
    }),
  )
}

interface TrimAnswer {
  plan: PlanTrimOutput
  done?: ApplyTrimOutput
}

async function dropAll(
  target: { stream: string; group?: string },
  { to, reason }: { to: string; reason: string | undefined },
  api: AdminApi,
  signal: AbortSignal,
): Promise<ApplyTrimOutput> {
  for (let changed = 0; ;) {
    const { hash } = await api.call('planTrim', { ...target, to }, signal)
    const done = await api.call('applyTrim', { ...target, to, hash, acceptLoss: true, reason }, signal)
    changed += done.change.changed
    if (done.isOver || done.change.changed === 0) return { ...done, change: { ...done.change, changed } }
  }
}

export function renderTrim({ plan, done }: TrimAnswer): string[] {
  if (done) return renderChange(done.change, 'with --accept-loss')
  const losing = plan.groups.filter(({ loses }) => loses > 0)
  if (losing.length === 0) return ['Every group has acked all of it: there is nothing to drop.']
  return [
    `Up to ${shown(plan.to)} (${moment(plan.until)}):`,
    ...losing.map(
      ({ name, loses, isActive }) =>
        `  ${shown(name)} has not acked ${amount(loses)} entries${isActive ? ', and one of its consumers is heard of: stop or pause it first' : ''}`,
    ),
    'Nothing is dropped. With --accept-loss they become dead letters and a gap.',
  ]
}
