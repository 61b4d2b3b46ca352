import { adminConfig, checkAdminConfig } from '@millrace/admin'
import { backfillerConfig } from '@millrace/backfiller'
import { indexerConfig } from '@millrace/indexer'
import { checkIngesterConfig, chosenDids, ingesterConfig } from '@millrace/ingester'
import {
  chooseStreams,
  describeConfig,
  problemsOf,
  readConfig,
  sharedVariableNames,
  streamVariables,
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
  if (problems.length === 0) {
    problems.push(...problemsOf(() => chooseStreams(readConfig(streamVariables, env), env)))
    problems.push(...((await together[role]?.(env)) ?? []))
  }
  return {
    role,
    settings,
    problems: [...problems, ...unknownVariables(definitions[role], env, knownNames)],
  }
}

/** What has to hold between variables of one process, besides what has to hold for its streams. */
const together: Readonly<Partial<Record<RoleName, (env: Environment) => Promise<readonly string[]>>>> = {
  async ingester(env) {
    const config = readConfig(ingesterConfig, env)
    const repos = await chosenDids(config.INGESTER_REPOS).then(
      () => [],
      (error: unknown) =>
        problemsOf(() => {
          throw error
        }),
    )
    return [...problemsOf(() => checkIngesterConfig(config)), ...repos]
  },
  admin: async (env) => problemsOf(() => checkAdminConfig(readConfig(adminConfig, env))),
}
