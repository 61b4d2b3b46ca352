import type { Command } from 'commander'
import { readDatabaseOptions, withDatabaseOptions, type DatabaseOptions } from '../database-options.ts'

/** How a command reaches the pipeline, and how it prints. */
export interface ApiOptions extends DatabaseOptions {
  /** URL of the admin server; the usual one of this machine when it is undefined. */
  admin: string | undefined
  /** Past the admin server, to the stores themselves. */
  direct: boolean
}

/** The options of a command that asks the admin server, or the stores in its place. */
export function withApiOptions(command: Command): Command {
  return withDatabaseOptions(
    command
      .option('--json', 'print the answer as JSON, on standard output', false)
      .option(
        '--admin <url>',
        'ask this admin server (default: MILLRACE_ADMIN_URL, then http://127.0.0.1:4030 if it answers, then the stores)',
      )
      .option('--direct', 'ask the stores themselves, past the admin server', false),
  )
}

export function readApiOptions(command: Command): ApiOptions {
  const { admin, direct } = command.optsWithGlobals<ApiOptions>()
  return { ...readDatabaseOptions(command), admin, direct }
}

export const apiEnvironmentHelp = `
Environment:
  MILLRACE_ADMIN_URL           the admin server to ask
  ADMIN_PASSWORDS              its password: the first one of these
  REDIS_URL, DB_POSTGRES_URL … the stores, as the processes have them: asked when no server answers, or with --direct`

export const exitCodesHelp = `
Exit codes:
  0  all is well, or it is done
  1  a problem was found
  2  the arguments or the environment do not hold
  3  neither an admin server nor the stores can be reached
  4  a guard refused: what it asks for is said`
