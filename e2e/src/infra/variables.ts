import { roleDefinitions, type RoleName } from '@millrace/millrace'
import { problemsOf, readConfig, type Definition, type Environment } from '@millrace/runtime'

/** Of all roles. */
export const allVariables: Definition = Object.assign({}, ...Object.values(roleDefinitions))

/** Set for Node, not for us. */
const ofNode = new Set(['NODE_ENV'])

const isRole = (name: string): name is RoleName => Object.hasOwn(roleDefinitions, name)

/** What a process says about its environment when it starts, and names in it that no process reads. */
export function environmentProblems(command: string, env: Environment): string[] {
  const unknown = Object.keys(env).filter((name) => !Object.hasOwn(allVariables, name) && !ofNode.has(name))
  const problems = unknown.map((name) => `${command}: no process reads ${name}`)
  if (!isRole(command)) return problems
  const wrong = problemsOf(() => readConfig(roleDefinitions[command], env))
  return [...problems, ...wrong.map((problem) => `${command}: ${problem}`)]
}
