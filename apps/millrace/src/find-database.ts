import path from 'node:path'
import { findRunningPostgres } from '@millrace/local-services'
import {
  ConfigError,
  databaseVariables,
  optionalDatabaseVariables,
  readConfig,
  type Environment,
} from '@millrace/runtime'

export interface WantedDatabase {
  /** Asked for on the command line. */
  url: string | undefined
  env: Environment
  /** Folder of `millrace up`, whose own Postgres is taken when no other is named. */
  data: string
}

/**
 * The database to work on.
 * @throws {ConfigError} when none is named and none runs, or when what is named is no Postgres.
 */
export async function findDatabase({ url, env, data }: WantedDatabase): Promise<{ url: string; schema: string }> {
  const { DB_POSTGRES_URL, DB_POSTGRES_SCHEMA } = optionalDatabaseVariables
  const config = readConfig({ DB_POSTGRES_URL, DB_POSTGRES_SCHEMA }, env)
  const schema = config.DB_POSTGRES_SCHEMA
  if (url !== undefined) {
    const { '--database': asked } = readConfig(
      { '--database': databaseVariables.DB_POSTGRES_URL },
      { '--database': url },
    )
    return { url: asked, schema }
  }
  if (config.DB_POSTGRES_URL !== undefined) return { url: config.DB_POSTGRES_URL, schema }
  const local = await findRunningPostgres(path.join(data, 'postgres'))
  if (local !== undefined) return { url: local, schema }
  throw new ConfigError([
    `no Postgres: DB_POSTGRES_URL is not set, --database is not given, and no \`millrace up\` runs in ${data}`,
  ])
}
