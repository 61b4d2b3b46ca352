import { AdminError } from '@millrace/admin-api'
import { describeError } from '@millrace/runtime/command'
import { explainFailure, type CommandHost } from '../command-host.ts'
import type { ApiOptions } from './api-options.ts'
import { findApi, isAway, type FoundApi } from './find-api.ts'

/** What a command asks, and how it tells the answer. */
export interface ApiCommand<T> {
  ask(api: FoundApi, signal: AbortSignal): Promise<T>
  /** For people. */
  render(value: T): string[]
  /** @default 0 */
  code?(value: T): number
}

/** Asks, prints, and gives the exit code. */
export async function runApiCommand<T>(
  options: ApiOptions,
  host: CommandHost,
  command: ApiCommand<T>,
): Promise<number> {
  try {
    await using api = await findApi(options, host)
    const value = await command.ask(api, host.signal)
    print(options, host, command, value)
    return command.code?.(value) ?? 0
  } catch (error) {
    return host.signal.aborted ? 130 : explainApiFailure(error, host)
  }
}

function print<T>(
  { json }: Pick<ApiOptions, 'json'>,
  { stdout }: Pick<CommandHost, 'stdout'>,
  { render }: Pick<ApiCommand<T>, 'render'>,
  value: T,
): void {
  if (json) return void stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
  for (const line of render(value)) stdout.write(`${line}\n`)
}

/** Refusals that somebody who means it can get past. */
const guards: ReadonlySet<string> = new Set(['NotConfirmed', 'CursorMoved', 'GroupActive', 'PlanStale'])

function explainApiFailure(error: unknown, { stderr }: Pick<CommandHost, 'stderr'>): number {
  if (isAway(error)) {
    stderr.write(`millrace: ${error.message}: --direct asks the stores themselves\n`)
    return 3
  }
  if (!(error instanceof AdminError)) return explainFailure(error, stderr)
  if (error.status === 401) stderr.write('millrace: the admin server asks for a password: set ADMIN_PASSWORDS\n')
  else stderr.write(`millrace: ${describeError(error)}\n`)
  if (guards.has(error.error)) return 4
  return error.status >= 500 ? 3 : 2
}
