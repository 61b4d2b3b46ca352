import { markForResync } from '@millrace/repair'
import type { CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { inDatabase } from './in-database.ts'

/** Has accounts fetched before all others. @returns the exit code. */
export async function runResync(
  dids: readonly string[],
  { reindex, ...options }: DatabaseOptions & { reindex: boolean },
  host: CommandHost,
): Promise<number> {
  return await inDatabase(options, host, async (database) => {
    await markForResync({ database, dids, reindex })
    host.stdout.write(
      options.json
        ? `${JSON.stringify({ marked: dids }, undefined, 2)}\n`
        : `${dids.length === 1 ? '1 account is' : `${dids.length} accounts are`} fetched next, by a backfiller that has this database.\n`,
    )
    return 0
  })
}
