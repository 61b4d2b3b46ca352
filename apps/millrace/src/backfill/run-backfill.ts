import type { ApiOptions } from '../admin/api-options.ts'
import { renderChange } from '../admin/cursor-command.ts'
import { runApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import type { BackfillChangeOptions } from './options.ts'
import { renderBackfill } from './render.ts'

/** How far the backfill is. @returns the exit code: 1 when repos were given up, or wait in vain. */
export async function runStatus(options: ApiOptions, host: CommandHost): Promise<number> {
  return await runApiCommand(options, host, {
    ask: (api, signal) => api.call('getBackfill', {}, signal),
    render: renderBackfill,
    code: ({ failed, state }) => (failed > 0 || state === 'absent' ? 1 : 0),
  })
}

export async function runControl(
  action: 'pause' | 'resume',
  { reason, dryRun, ...options }: BackfillChangeOptions,
  host: CommandHost,
): Promise<number> {
  return await runApiCommand(options, host, {
    ask: (api, signal) => api.call('controlBackfill', { action, reason, dryRun }, signal),
    render: ({ change }) => renderChange(change, 'without --dry-run'),
  })
}

export async function runRetryFailed(
  { reason, dryRun, ...options }: BackfillChangeOptions,
  host: CommandHost,
): Promise<number> {
  return await runApiCommand(options, host, {
    ask: (api, signal) => api.call('retryFailed', { reason, dryRun }, signal),
    render: ({ change }) => renderChange(change, 'without --dry-run'),
  })
}
