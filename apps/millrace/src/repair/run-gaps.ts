import { readOpenGaps } from '@millrace/repair'
import type { CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { inDatabase } from './in-database.ts'
import { renderGaps } from './render.ts'

/** Prints what may be missing. @returns the exit code: 1 when something is open. */
export async function runGaps(options: DatabaseOptions, host: CommandHost): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    const gaps = await readOpenGaps(database)
    host.stdout.write(options.json ? `${JSON.stringify({ gaps }, undefined, 2)}\n` : `${renderGaps(gaps).join('\n')}\n`)
    return gaps.length > 0 ? 1 : 0
  })
}
