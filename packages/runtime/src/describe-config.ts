import { ConfigError } from './config-error.ts'
import { readConfig, textOf, type Definition, type Environment, type Variable } from './config.ts'
import { oneLine } from './redact.ts'

/** What a process would make of one variable. */
export interface Setting {
  readonly name: string
  /** What the process reads, as one bounded line without secrets; undefined when it is neither set nor has a default. */
  readonly value: string | undefined
  readonly source: 'environment' | 'default' | 'unset'
  readonly isSecret: boolean
  /** Why the process would not start with it. */
  readonly problem: string | undefined
  readonly help: string
}

/** Every variable of a definition with its value and where that comes from: what `readConfig` reads, for people. */
export function describeConfig(definition: Definition, env: Environment): Setting[] {
  return Object.entries(definition).map(([name, variable]) => {
    const given = textOf(env, name)
    const text = given ?? variable.default
    return {
      name,
      value: text === undefined ? undefined : shownValue(text, variable),
      source: given !== undefined ? 'environment' : text !== undefined ? 'default' : 'unset',
      isSecret: variable.secret ?? false,
      problem: problemsOf(() => readConfig({ [name]: variable }, env))[0],
      help: variable.help,
    }
  })
}

/** What a check of the configuration finds: the problems of the `ConfigError` it throws, or none. */
export function problemsOf(check: () => unknown): readonly string[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function shownValue(text: string, { secret }: Variable): string {
  if (!secret) return oneLine(text, 200)
  return placeOf(text) ?? '(hidden)'
}

const stores = new Set(['redis:', 'rediss:', 'postgres:', 'postgresql:'])

/** Which store a URL leads to, without user, password and parameters (hazard M9). Other URLs may be secrets themselves. */
function placeOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, host, pathname, username, password } = new URL(text)
  // A password with a slash that was not escaped is read as a path.
  if (!stores.has(protocol) || host === '' || pathname.includes('@')) return undefined
  return oneLine(`${protocol}//${username || password ? '***@' : ''}${host}${pathname}`, 200)
}
