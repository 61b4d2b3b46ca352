import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Database } from '@millrace/database'
import { BACKGROUND_POOL_SIZE } from '@millrace/indexer'
import { startPostgres } from '@millrace/local-services'
import {
  chooseStreams,
  ConfigError,
  databaseVariables,
  identityVariables,
  readConfig,
  redact,
  streamVariables,
  type Environment,
} from '@millrace/runtime'
import { openMigratedDatabase, openStreams } from '@millrace/stores'
import type { Logger, Meter, StreamStore } from '@millrace/stream-protocol'
import type { UpOptions } from './options.ts'

/** The stores of one `millrace up`. */
export interface Services extends AsyncDisposable {
  store: StreamStore
  /** For everything but records. */
  database: Database
  /** For records and labels. */
  indexing: Database
  /** For the status and the removal of accounts. */
  background: Database
  postgres: { title: string; location: string }
}

export interface ServicesOptions {
  up: UpOptions
  env: Environment
  /** Connections for records. */
  indexingPoolSize: number
  logger: Logger
  meter: Meter
  say: (text: string) => void
  signal: AbortSignal
}

/** The environment variables that `up` reads, beside its own options. */
function upVariables() {
  const { DB_POSTGRES_URL, ...tuning } = databaseVariables
  return {
    ...streamVariables,
    ...tuning,
    DB_POSTGRES_URL: { ...DB_POSTGRES_URL, schema: DB_POSTGRES_URL.schema.optional() },
    ...identityVariables,
  }
}

/** Redis and Postgres where they are configured; a SQLite file and a Postgres of our own where they are not. */
export async function openServices({
  up,
  env,
  indexingPoolSize,
  logger,
  meter,
  say,
  signal,
}: ServicesOptions): Promise<Services> {
  const config = readConfig(upVariables(), {
    ...env,
    MILLRACE_DATA_DIR: up.data,
    ...(up.streams && { MILLRACE_STREAMS: up.streams }),
  })
  const choice = chooseStreams(config, env)
  if (up.reset) {
    if (choice.kind === 'redis' || config.DB_POSTGRES_URL !== undefined)
      throw new ConfigError([
        '--reset removes only what lies in the data folder; it does not empty a Redis or a Postgres of yours',
      ])
    say(`removing ${up.data}`)
    await rm(up.data, { recursive: true, force: true })
  }
  await mkdir(up.data, { recursive: true })

  const opened: AsyncDisposable[] = []
  const keep = <T extends AsyncDisposable>(resource: T): T => (opened.push(resource), resource)
  const close = async (): Promise<void> => {
    for (const resource of opened.splice(0).reverse()) await resource[Symbol.asyncDispose]()
  }
  try {
    let url = config.DB_POSTGRES_URL
    let title = 'your Postgres'
    let location = url === undefined ? '' : redact(url)
    if (url === undefined) {
      const local = keep(
        await startPostgres({ folder: path.join(up.data, 'postgres'), durable: true, onProgress: say }),
      )
      url = local.url
      // Whole: it has no password, and is reached from this machine alone.
      location = url
      title = `a Postgres ${local.version} of its own`
    }
    const options = { url, schema: config.DB_POSTGRES_SCHEMA, logger, signal }
    const database = keep(
      await openMigratedDatabase({
        ...options,
        poolSize: config.DB_POSTGRES_POOL_SIZE,
        applicationName: 'millrace-up',
      }),
    )
    const apart = { ...options, migrates: false, pipeline: true }
    const indexing = keep(
      await openMigratedDatabase({ ...apart, poolSize: indexingPoolSize, applicationName: 'millrace-up-records' }),
    )
    const background = keep(
      await openMigratedDatabase({
        ...apart,
        poolSize: BACKGROUND_POOL_SIZE,
        applicationName: 'millrace-up-accounts',
      }),
    )
    const store = keep(await openStreams(choice, { logger, meter, signal }))
    say(`streams in ${choice.kind === 'redis' ? 'Redis' : 'SQLite'} (${choice.why}): ${choice.location}`)
    say(`rows in ${title}: ${location}, schema ${config.DB_POSTGRES_SCHEMA}`)

    return { store, database, indexing, background, postgres: { title, location }, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
