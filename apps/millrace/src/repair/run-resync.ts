import type { ApiOptions } from '../admin/api-options.ts'
import { renderChange } from '../admin/cursor-command.ts'
import { runApiCommand } from '../admin/run-api-command.ts'
import { didsOf } from '../admin/read-subjects.ts'
import type { CommandHost } from '../command-host.ts'

export interface ResyncOptions extends ApiOptions {
  reindex: boolean
  dryRun: boolean
  reason?: string | undefined
}

/** Has accounts fetched before all others. @returns the exit code. */
export async function runResync(
  accounts: readonly string[],
  { reindex, dryRun, reason, ...options }: ResyncOptions,
  host: CommandHost,
): Promise<number> {
  return await runApiCommand(options, host, {
    ask: async (api, signal) => {
      const dids = await didsOf(accounts, api)
      return await api.call('resyncRepos', { dids, reindex, dryRun, reason }, signal)
    },
    render: ({ change }) => renderChange(change, 'without --dry-run'),
  })
}
