import { z } from 'zod'
import { ConfigError } from './config-error.ts'
import { oneLine } from './redact.ts'

/** One environment variable. */
export interface Variable {
  /** Takes the text of the variable. A schema that is `.optional()` makes the variable optional. */
  readonly schema: z.ZodType<unknown, string | undefined>
  /** A sentence for people, without the full stop. */
  readonly help: string
  /** As one would write it in the environment, so that help shows it and `schema` reads it. */
  readonly default?: string
  /** Its value never appears in errors, logs or help (hazard M9). @default false */
  readonly secret?: boolean
}

/** Variables of a process, by name. */
export type Definition = Readonly<Record<string, Variable>>

/** What `readConfig` gives for a definition: the values under the names of the variables. */
export type ConfigOf<D extends Definition> = { readonly [Name in keyof D]: z.output<D[Name]['schema']> }

/** Variables as a process has them, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Names every variable of a process once, with its type, default and a sentence of help. */
export function defineConfig<const D extends Definition>(definition: D): D {
  return definition
}

/**
 * Reads all variables of a definition. An empty variable counts as absent.
 * @throws {ConfigError} with every problem there is, not only the first.
 */
export function readConfig<const D extends Definition>(definition: D, env: Environment): ConfigOf<D> {
  const problems: string[] = []
  const config: Record<string, unknown> = {}
  for (const [name, variable] of Object.entries(definition)) {
    const given = textOf(env, name)
    const result = variable.schema.safeParse(given ?? variable.default)
    if (result.success) config[name] = result.data
    else problems.push(problemOf(name, variable, given, result.error))
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(config) as ConfigOf<D>
}

/** The text of a variable; undefined when it is absent or empty. */
export function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() === '' ? undefined : env[name]
}

/** What a schema takes, in words. */
export function expectationOf(schema: z.ZodType): string {
  const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema
  return inner.description ?? 'text'
}

/** Whether a process starts without the variable. */
export function isRequired(variable: Variable): boolean {
  return variable.default === undefined && !variable.schema.safeParse(undefined).success
}

function problemOf(name: string, variable: Variable, given: string | undefined, error: z.ZodError): string {
  const expected = expectationOf(variable.schema)
  if (given === undefined) return `${name} is not set: ${variable.help} (${expected})`
  const shown = variable.secret ? 'its value (hidden)' : JSON.stringify(oneLine(given, 80))
  return `${name} is ${shown}, expected ${error.issues[0]?.message ?? expected}`
}
