import { AdminError, type AdminApi, type GetRepairOutput } from '@millrace/admin-api'
import type { ApiOptions } from '../admin/api-options.ts'
import { runApiCommand } from '../admin/run-api-command.ts'
import type { CommandHost } from '../command-host.ts'
import type { RepairAction } from './options.ts'
import { renderRepair, renderRepairList } from './render.ts'

/** Prints the last repairs. @returns the exit code. */
export async function runRepairList(options: ApiOptions, host: CommandHost): Promise<number> {
  return await runApiCommand(options, host, {
    ask: (api, signal) => api.call('listRepairs', {}, signal),
    render: ({ repairs }) => renderRepairList(repairs),
  })
}

/**
 * Does something to repairs, and prints them as they are then.
 * @returns the exit code: 1 when one is not there, or has ended.
 */
export async function runRepairAction(
  action: RepairAction,
  ids: readonly number[],
  { reason, ...options }: ApiOptions & { reason: string | undefined },
  host: CommandHost,
): Promise<number> {
  let problems = 0
  const say = (problem: string): void => {
    problems++
    host.stderr.write(`millrace: ${problem}\n`)
  }
  return await runApiCommand(options, host, {
    ask: async (api) => {
      const repairs: GetRepairOutput[] = []
      for (const id of ids) {
        const found = await act({ action, id, reason }, api, say)
        if (found) repairs.push(found)
      }
      return { repairs }
    },
    render: ({ repairs }) => repairs.flatMap(renderRepair),
    code: () => (problems > 0 ? 1 : 0),
  })
}

async function act(
  { action, id, reason }: { action: RepairAction; id: number; reason: string | undefined },
  api: AdminApi,
  say: (problem: string) => void,
): Promise<GetRepairOutput | undefined> {
  try {
    if (action !== 'show') {
      const { change } = await api.call('controlRepair', { id, action, reason })
      const found = await api.call('getRepair', { id })
      if (change.changed === 0 && found.repair.finishedAt !== undefined) say(`repair ${id} has ended`)
      return found
    }
    return await api.call('getRepair', { id })
  } catch (error) {
    if (!(error instanceof AdminError) || error.error !== 'NotFound') throw error
    say(error.message)
    return undefined
  }
}
