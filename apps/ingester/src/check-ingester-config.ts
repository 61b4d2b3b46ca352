import { ConfigError, type ConfigOf } from '@millrace/runtime'
import type { ingesterConfig } from './config.ts'

/**
 * What has to hold between variables, besides each of them alone.
 * @throws {ConfigError} with every problem there is.
 */
export function checkIngesterConfig(config: ConfigOf<typeof ingesterConfig>): void {
  if (config.INGESTER_REPOS !== 'all' && config.DB_POSTGRES_URL === undefined)
    throw new ConfigError(['INGESTER_REPOS needs DB_POSTGRES_URL, where their repos are asked for'])
}
