import { adminConfig, checkAdminConfig } from '@millrace/admin'
import { backfillerConfig } from '@millrace/backfiller'
import { indexerConfig } from '@millrace/indexer'
import { checkIngesterConfig, chosenDids, ingesterConfig } from '@millrace/ingester'
import {
  chooseStreams,
  ConfigError,
  describeConfig,
  problemsOf,
  readConfig,
  sharedVariableNames,
  unknownVariables,
  type Definition,
  type Environment,
  type Setting,
} from '@millrace/runtime'

/** The processes, in the order that an event meets them. */
export const roles = ['ingester', 'backfiller', 'indexer', 'admin'] as const
export type RoleName = (typeof roles)[number]

export const definitions: Readonly<Record<RoleName, Definition>> = {
  ingester: ingesterConfig,
  backfiller: backfillerConfig,
  indexer: indexerConfig,
  admin: adminConfig,
}

/** One file of variables often serves all processes. */
const knownNames = [...sharedVariableNames, ...Object.values(definitions).flatMap((each) => Object.keys(each))]

/** What one process makes of an environment. */
export interface RoleConfig {
  readonly role: RoleName
  readonly settings: readonly Setting[]
  /** Why it would not start, and variables that nothing reads. */
  readonly problems: readonly string[]
}

/** What a process says before it opens anything. */
export async function describeRole(role: RoleName, env: Environment): Promise<RoleConfig> {
  const settings = describeConfig(definitions[role], env)
  const problems = settings.flatMap(({ problem }) => problem ?? [])
  // What holds between variables can be told once each of them is good.
  const between = problems.length === 0 ? await together[role](env) : []
  return {
    role,
    settings,
    problems: [...problems, ...between, ...unknownVariables(definitions[role], env, knownNames)],
  }
}

const streamsOf = (definition: Definition) => (env: Environment) =>
  problemsOf(() => chooseStreams(readConfig(definition, env) as Parameters<typeof chooseStreams>[0], env))

const together: Readonly<Record<RoleName, (env: Environment) => Promise<readonly string[]>>> = {
  async ingester(env) {
    const config = readConfig(ingesterConfig, env)
    const repos = await chosenDids(config.INGESTER_REPOS).then(
      () => [],
      (error: unknown) => {
        if (error instanceof ConfigError) return error.problems
        throw error
      },
    )
    return [...streamsOf(ingesterConfig)(env), ...problemsOf(() => checkIngesterConfig(config)), ...repos]
  },
  backfiller: async (env) => streamsOf(backfillerConfig)(env),
  indexer: async (env) => streamsOf(indexerConfig)(env),
  async admin(env) {
    return [...streamsOf(adminConfig)(env), ...problemsOf(() => checkAdminConfig(readConfig(adminConfig, env)))]
  },
}
