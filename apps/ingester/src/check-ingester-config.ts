import { ConfigError, type ConfigOf } from '@millrace/runtime'
import { selectionProblem, type ingesterConfig } from './config.ts'

/**
 * What has to hold between variables, besides each of them alone.
 * @throws {ConfigError} with every problem there is.
 */
export function checkIngesterConfig(config: ConfigOf<typeof ingesterConfig>): void {
  const problems: string[] = []
  if (config.INGESTER_REPOS !== 'all' && config.DB_POSTGRES_URL === undefined)
    problems.push('INGESTER_REPOS needs DB_POSTGRES_URL, where their repos are asked for')
  const selection = selectionProblem(config)
  if (selection !== undefined) problems.push(selection)
  if (problems.length > 0) throw new ConfigError(problems)
}
