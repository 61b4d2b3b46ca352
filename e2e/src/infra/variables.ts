import { adminConfig } from '@millrace/admin'
import { backfillerConfig } from '@millrace/backfiller'
import { indexerConfig } from '@millrace/indexer'
import { ingesterConfig } from '@millrace/ingester'
import { problemsOf, readConfig, type Definition, type Environment } from '@millrace/runtime'

export const roles = ['ingester', 'backfiller', 'indexer', 'admin'] as const
export type Role = (typeof roles)[number]

export const definitions: Readonly<Record<Role, Definition>> = {
  ingester: ingesterConfig,
  backfiller: backfillerConfig,
  indexer: indexerConfig,
  admin: adminConfig,
}

/** Of all roles. */
export const allVariables: Definition = Object.assign({}, ...Object.values(definitions))

/** Set for Node, not for us. */
const ofNode = new Set(['NODE_ENV'])

const isRole = (name: string): name is Role => Object.hasOwn(definitions, name)

/** What a process says about its environment when it starts, and names in it that no process reads. */
export function environmentProblems(command: string, env: Environment): string[] {
  const unknown = Object.keys(env).filter((name) => !Object.hasOwn(allVariables, name) && !ofNode.has(name))
  const problems = unknown.map((name) => `${command}: no process reads ${name}`)
  if (!isRole(command)) return problems
  const wrong = problemsOf(() => readConfig(definitions[command], env))
  return [...problems, ...wrong.map((problem) => `${command}: ${problem}`)]
}
