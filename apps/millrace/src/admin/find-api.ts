import { AdminAwayError, AdminClient, type AdminApi } from '@millrace/admin-api'
import { ConfigError } from '@millrace/runtime/command'
import type { CommandHost } from '../command-host.ts'
import type { ApiOptions } from './api-options.ts'

/** Who answers a command. */
export interface FoundApi extends AdminApi, AsyncDisposable {
  /** It is the stores themselves, and no server. */
  readonly isDirect: boolean
}

const USUAL_URL = 'http://127.0.0.1:4030'

/**
 * The admin server that is named, or the stores: with `--direct`, or where no server is named and none answers on this
 * machine. What is named and does not answer is an error.
 */
export async function findApi(options: ApiOptions, host: CommandHost): Promise<FoundApi> {
  const named = options.admin ?? host.env['MILLRACE_ADMIN_URL']
  if (options.direct && options.admin !== undefined) throw new ConfigError(['--direct and --admin exclude each other'])
  // Who names a database means that one, whatever a server here has.
  if (options.direct || (named === undefined && options.database !== undefined)) return await direct(options, host)
  const url = named ?? USUAL_URL
  if (!URL.canParse(url)) throw new ConfigError([`${JSON.stringify(url)} is not the URL of an admin server`])
  const [password] = (host.env['ADMIN_PASSWORDS'] ?? '').split(',').filter((word) => word !== '')
  const client = new AdminClient({ url, password })
  if (named === undefined && !(await answers(url))) {
    host.stderr.write(`millrace: no admin server answers at ${url}: asking the stores themselves\n`)
    return await direct(options, host)
  }
  return {
    isDirect: false,
    call: (name, input, signal) => client.call(name, input, signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** What it needs takes seconds to load, and is not needed where a server answers. */
async function direct(options: ApiOptions, host: CommandHost): Promise<FoundApi> {
  const { openDirect } = await import('./open-direct.ts')
  return await openDirect(options, host)
}

/** Whether an admin server is there, whatever it thinks of our password. */
async function answers(url: string): Promise<boolean> {
  try {
    // oxlint-disable-next-line no-restricted-globals -- the operator names it, and no stranger
    const response = await fetch(new URL('/xrpc/_health', url), { signal: AbortSignal.timeout(2_000) })
    await response.body?.cancel()
    return true
  } catch {
    return false
  }
}

/** What a command says when the server that was named does not answer. */
export function isAway(error: unknown): error is AdminAwayError {
  return error instanceof AdminAwayError
}
