import { alignColumns } from '../align-columns.ts'
import type { RoleConfig } from './describe-role.ts'

/** What does not hold, said once however many processes say it. A function of values. */
export function renderCheck(found: readonly RoleConfig[]): string[] {
  const saidBy = new Map<string, string[]>()
  for (const { role, problems } of found)
    for (const problem of problems) saidBy.set(problem, [...(saidBy.get(problem) ?? []), role])
  const good = found.filter(({ problems }) => problems.length === 0)
  return [
    ...[...saidBy].map(([problem, by]) => `${by.join(', ')}: ${problem}`),
    ...good.map(({ role, settings }) => {
      const set = settings.filter(({ source }) => source === 'environment').length
      return `${role}: good, ${set} of its ${settings.length} variables are set`
    }),
  ]
}

/**
 * Every variable with its value and where that is from. A function of values.
 * @param from what is read in place of `environment`.
 */
export function renderPrint(found: readonly RoleConfig[], from: string): string[] {
  return found.flatMap(({ role, settings, problems }, index) => {
    const said = new Set(settings.flatMap(({ problem }) => problem ?? []))
    return [
      ...(index > 0 ? [''] : []),
      role,
      ...alignColumns(
        settings.map(({ name, value, source, problem }) => [
          `  ${name}`,
          value ?? '',
          problem ? `PROBLEM: ${problem}` : { environment: from, default: 'default', unset: 'not set' }[source],
        ]),
        3,
      ),
      ...problems.filter((problem) => !said.has(problem)).map((problem) => `  PROBLEM: ${problem}`),
    ]
  })
}
