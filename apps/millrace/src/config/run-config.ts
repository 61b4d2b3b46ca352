import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { ConfigError, describeError, type Environment } from '@millrace/runtime/command'
import { explainFailure, type CommandHost } from '../command-host.ts'
import { describeRole, type RoleConfig } from './describe-role.ts'
import { renderCheck, renderPrint } from './render.ts'
import { roles, type RoleName } from './roles.ts'

export interface ConfigOptions {
  /** All of them when there is none. */
  roles: readonly string[]
  /** Read in place of the environment, if there are any; what stands in several counts as the last one has it. */
  envFiles: readonly string[]
  json: boolean
}

/** @returns 0 when every process would start and every variable is read by one, 1 otherwise, 2 for arguments. */
export async function runConfigCheck(options: ConfigOptions, host: CommandHost): Promise<number> {
  return await withConfig(options, host, (found) => {
    write(host, options, found, renderCheck)
    return found.some(({ problems }) => problems.length > 0) ? 1 : 0
  })
}

/** @returns 0, or 2 for arguments: a value that does not hold is shown as such. */
export async function runConfigPrint(options: ConfigOptions, host: CommandHost): Promise<number> {
  return await withConfig(options, host, (found) => {
    write(host, options, found, (all) => renderPrint(all, options.envFiles.join(', ') || 'environment'))
    return 0
  })
}

async function withConfig(
  options: ConfigOptions,
  host: CommandHost,
  tell: (found: readonly RoleConfig[]) => number,
): Promise<number> {
  try {
    const wanted = options.roles.length > 0 ? options.roles.map((name) => roleOf(name)) : roles
    const env = options.envFiles.length === 0 ? host.env : await readEnvFiles(options.envFiles)
    return tell(await Promise.all(wanted.map((role) => describeRole(role, env))))
  } catch (error) {
    return explainFailure(error, host.stderr)
  }
}

function roleOf(name: string): RoleName {
  const role = roles.find((each) => each === name)
  if (!role) throw new ConfigError([`${JSON.stringify(name)} is no process: ${roles.join(', ')} are`])
  return role
}

async function readEnvFiles(paths: readonly string[]): Promise<Environment> {
  try {
    const files = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    return Object.assign({}, ...files.map((text) => parseEnv(text))) as Environment
  } catch (error) {
    throw new ConfigError([`--env-file: ${describeError(error)}`])
  }
}

function write(
  { stdout }: CommandHost,
  { json }: ConfigOptions,
  found: readonly RoleConfig[],
  render: (found: readonly RoleConfig[]) => string[],
): void {
  if (json) return void stdout.write(`${JSON.stringify({ roles: found }, undefined, 2)}\n`)
  for (const line of render(found)) stdout.write(`${line}\n`)
}
