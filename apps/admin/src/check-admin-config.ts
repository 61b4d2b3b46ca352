import { ConfigError, problemsOf, type ConfigOf } from '@millrace/runtime'
import { isLoopback } from './access.ts'
import type { adminConfig } from './config.ts'
import { serviceDidDocument } from './service-did-document.ts'

/**
 * What has to hold between variables, besides each of them alone.
 * @throws {ConfigError} with every problem there is.
 */
export function checkAdminConfig(config: ConfigOf<typeof adminConfig>): void {
  const { ADMIN_PASSWORDS: passwords = [], ADMIN_BIND: bind, ADMIN_SERVICE_DID: did, ADMIN_PUBLIC_URL: url } = config
  const problems: string[] = []
  if (bind !== undefined && passwords.length === 0 && !isLoopback(bind))
    problems.push(`ADMIN_BIND is "${bind}", which others can reach: set ADMIN_PASSWORDS first`)
  if (did !== undefined && passwords.length === 0)
    problems.push('ADMIN_SERVICE_DID is set, and ADMIN_PASSWORDS is not: without passwords nobody is asked who he is')
  if (url !== undefined) problems.push(...problemsOf(() => serviceDidDocument(did, url)))
  if (problems.length > 0) throw new ConfigError(problems)
}
