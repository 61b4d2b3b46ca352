import { existsSync } from 'node:fs'
import os from 'node:os'
import { adminConfig, describePipeline, LocalApi, type AdminSources, type Away } from '@millrace/admin'
import { openDatabase, type Database } from '@millrace/database'
import { chooseStreams, ConfigError, describeError, readConfig, type StreamsChoice } from '@millrace/runtime'
import { openStreams } from '@millrace/stores'
import { ResourceStack, type StreamStore } from '@millrace/stream-protocol'
import type { CommandHost } from '../command-host.ts'
import { findDatabase } from '../find-database.ts'
import type { ApiOptions } from './api-options.ts'
import type { FoundApi } from './find-api.ts'

/** Somebody waits for the answer. */
const WAIT_MS = 3_000

/** The admin methods over the stores that are configured. One that cannot be had is told in what they answer. */
export async function openDirect(options: ApiOptions, host: CommandHost): Promise<FoundApi> {
  const env = { ...host.env, MILLRACE_DATA_DIR: options.data }
  const config = readConfig(adminConfig, env)
  await using stack = new ResourceStack()
  const choice = chooseStreams(config, env)
  const [store, database] = await Promise.all([openStore(choice, host.signal), openPostgres(options, host)])
  // No store is away where none is named: whoever asks is in another folder, or without the environment of the processes.
  if (database === undefined && isAbsent(choice)) throw new ConfigError([nothingNamed(options)])
  for (const each of [store, database]) if (each !== undefined && !('why' in each)) stack.use(each)
  const passwords = config.ADMIN_PASSWORDS ?? []
  const bind = config.ADMIN_BIND ?? (passwords.length > 0 ? '0.0.0.0' : '127.0.0.1')
  const sources: AdminSources = {
    ...describePipeline(config, { bind, hasPassword: passwords.length > 0 }),
    store,
    ...(database && { database }),
  }
  const api = new LocalApi(sources, { who: `${os.userInfo().username} at ${os.hostname()}`, role: 'operator' })
  const owned = stack.move()
  return {
    isDirect: true,
    call: (name, input, signal) => api.call(name, input, signal),
    [Symbol.asyncDispose]: async () => await owned[Symbol.asyncDispose](),
  }
}

/** No file of `millrace up`, where no Redis is named. */
function isAbsent(choice: StreamsChoice): boolean {
  return choice.kind === 'sqlite' && !existsSync(choice.file)
}

function nothingNamed({ data }: ApiOptions): string {
  return `nobody to ask: neither an admin server (MILLRACE_ADMIN_URL or --admin) nor stores (REDIS_URL, DB_POSTGRES_URL) are named, and no \`millrace up\` has run in ${data} (--data)`
}

async function openStore(choice: StreamsChoice, signal: AbortSignal): Promise<StreamStore | Away> {
  const { kind, location } = choice
  // Looking makes no file.
  if (isAbsent(choice)) return { kind, location, why: `there is no ${location} (${choice.why})` }
  try {
    // A Redis that evicts is what a doctor is to tell of.
    const open = choice.kind === 'redis' ? { ...choice, allowEviction: true } : choice
    return await openStreams(open, { signal, waitMs: WAIT_MS })
  } catch (error) {
    return { kind, location, why: describeError(error) }
  }
}

async function openPostgres(
  { database: wanted, data }: ApiOptions,
  { env }: CommandHost,
): Promise<Database | Away | undefined> {
  let found: Awaited<ReturnType<typeof findDatabase>>
  try {
    found = await findDatabase({ url: wanted, env, data })
  } catch (error) {
    if (wanted === undefined && env['DB_POSTGRES_URL'] === undefined && error instanceof ConfigError) return undefined
    throw error
  }
  try {
    return await openDatabase({
      ...found,
      poolSize: 4,
      pipeline: true,
      connectTimeoutMs: WAIT_MS,
      statementTimeoutMs: 5_000,
      applicationName: 'millrace-command',
    })
  } catch (error) {
    return { kind: 'postgres', location: 'Postgres', why: describeError(error) }
  }
}
