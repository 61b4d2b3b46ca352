import type { Database } from '@millrace/database'
import type { Health } from '@millrace/runtime'
import { openMigratedDatabase, type OpenMigratedDatabaseOptions } from './open-database.ts'

export interface OpenLedgerDatabaseOptions extends Omit<OpenMigratedDatabaseOptions, 'url' | 'schema' | 'poolSize'> {
  /** The variables of `optionalDatabaseVariables`. */
  config: {
    readonly DB_POSTGRES_URL?: string | undefined
    readonly DB_POSTGRES_SCHEMA: string
    readonly DB_POSTGRES_POOL_SIZE: number
  }
  /** Gets a check `database`. */
  health: Health
}

/** Most connections of a process that keeps only its bookkeeping in the database. */
const FEW = 4

/** The database of a process that does not write rows: undefined when none is configured. */
export async function openLedgerDatabase({
  config,
  health,
  ...options
}: OpenLedgerDatabaseOptions): Promise<Database | undefined> {
  if (config.DB_POSTGRES_URL === undefined) return undefined
  const database = await openMigratedDatabase({
    ...options,
    url: config.DB_POSTGRES_URL,
    schema: config.DB_POSTGRES_SCHEMA,
    poolSize: Math.min(FEW, config.DB_POSTGRES_POOL_SIZE),
  })
  health.add('database', () => database.ping())
  return database
}
