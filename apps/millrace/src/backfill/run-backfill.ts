import { BackfillQueue } from '@millrace/database'
import type { CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { inDatabase } from '../repair/in-database.ts'
import { readBackfillStatus } from './backfill-status.ts'
import { renderBackfill } from './render.ts'

/** How far the backfill is. @returns the exit code: 1 when repos were given up, or wait in vain. */
export async function runStatus(options: DatabaseOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    const status = await readBackfillStatus(database)
    print(host, options, status, renderBackfill(status).join('\n'))
    return status.failed > 0 || status.state === 'absent' ? 1 : 0
  })
}

export async function runPause(paused: boolean, options: DatabaseOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    await new BackfillQueue(database).setPaused(paused)
    const said = paused ? 'Backfillers begin no more repos, within seconds.' : 'Backfillers go on, within seconds.'
    print(host, options, { paused }, said)
    return 0
  })
}

export async function runRetryFailed(options: DatabaseOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    const retried = await new BackfillQueue(database).retryFailed()
    print(host, options, { retried }, `${retried === 1 ? '1 repo is' : `${retried} repos are`} fetched once more.`)
    return 0
  })
}

function print({ stdout }: CommandHost, { json }: DatabaseOptions, result: object, text: string): void {
  stdout.write(json ? `${JSON.stringify(result, undefined, 2)}\n` : `${text}\n`)
}
