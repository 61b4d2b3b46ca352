import type { ApiOptions } from '../admin/api-options.ts'
import { runApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import { renderGaps } from './render.ts'

/** Prints what may be missing. @returns the exit code: 1 when something is open. */
export async function runGaps(options: ApiOptions, host: CommandHost): Promise<number> {
  return await runApiCommand(options, host, {
    ask: (api, signal) => api.call('listGaps', {}, signal),
    render: ({ gaps }) => renderGaps(gaps),
    code: ({ gaps }) => (gaps.length > 0 ? 1 : 0),
  })
}
