import { RepairStore } from '@millrace/repair'
import type { CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { inDatabase } from './in-database.ts'
import type { RepairAction } from './options.ts'
import { renderRepair, renderRepairList } from './render.ts'

/** Prints the last repairs. @returns the exit code. */
export async function runRepairList(options: DatabaseOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    const repairs = await new RepairStore(database).list()
    host.stdout.write(
      options.json ? `${JSON.stringify({ repairs }, undefined, 2)}\n` : `${renderRepairList(repairs).join('\n')}\n`,
    )
    return 0
  })
}

/**
 * Does something to repairs, and prints them as they are then.
 * @returns the exit code: 1 when one is not there, or has ended.
 */
export async function runRepairAction(
  action: RepairAction,
  ids: readonly number[],
  options: DatabaseOptions,
  host: CommandHost,
): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    const store = new RepairStore(database)
    const reports = []
    let exitCode = 0
    for (const id of ids) {
      const isDone = await act(store, action, id)
      const repair = await store.get(id)
      if (!isDone || !repair) {
        exitCode = 1
        host.stderr.write(`millrace: ${repair ? `repair ${id} has ended` : `there is no repair ${id}`}\n`)
      }
      if (repair) reports.push({ repair, counts: await store.counts(id) })
    }
    if (options.json) host.stdout.write(`${JSON.stringify({ repairs: reports }, undefined, 2)}\n`)
    else for (const line of reports.flatMap(renderRepair)) host.stdout.write(`${line}\n`)
    return exitCode
  })
}

async function act(store: RepairStore, action: RepairAction, id: number): Promise<boolean> {
  switch (action) {
    case 'pause':
      return await store.setPaused(id, true)
    case 'resume':
      return await store.setPaused(id, false)
    case 'cancel':
      return await store.cancel(id)
    case 'show':
    default:
      return true
  }
}
