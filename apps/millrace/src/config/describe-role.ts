import { adminConfig, checkAdminConfig } from '@millrace/admin'
import { checkIngesterConfig, chosenDids, ingesterConfig } from '@millrace/ingester'
import {
  chooseStreams,
  describeConfig,
  problemsOf,
  readConfig,
  sharedVariableNames,
  streamVariables,
  unknownVariables,
  type Environment,
  type Setting,
} from '@millrace/runtime'
import { roleDefinitions, type RoleName } from './roles.ts'

/** One file of variables often serves all processes. */
const knownNames = [...sharedVariableNames, ...Object.values(roleDefinitions).flatMap((each) => Object.keys(each))]

/** What one process makes of an environment. */
export interface RoleConfig {
  readonly role: RoleName
  readonly settings: readonly Setting[]
  /** Why it would not start, and variables that nothing reads. */
  readonly problems: readonly string[]
}

/** What a process says before it opens anything. */
export async function describeRole(role: RoleName, env: Environment): Promise<RoleConfig> {
  const settings = describeConfig(roleDefinitions[role], env)
  const problems = settings.flatMap(({ problem }) => problem ?? [])
  // What holds between variables can be told once each of them is good.
  if (problems.length === 0) {
    problems.push(...problemsOf(() => chooseStreams(readConfig(streamVariables, env), env)))
    problems.push(...((await together[role]?.(env)) ?? []))
  }
  return {
    role,
    settings,
    problems: [...problems, ...unknownVariables(roleDefinitions[role], env, knownNames)],
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
