import type { Definition, Environment } from './config.ts'

const prefixes = ['INGESTER_', 'BACKFILLER_', 'INDEXER_', 'ADMIN_', 'MILLRACE_']
/** Read by `@millrace/failpoints`, which says so itself. */
const ofTests = ['MILLRACE_FAILPOINT', 'MILLRACE_MUTANT', 'MILLRACE_HASTE']

/**
 * Finds variables that nobody will read: most likely typing errors, which would otherwise be silence and a default.
 *
 * A name counts when it has the prefix of this process or `MILLRACE_`, or is one or two letters away from a name that
 * is read and not set. Other roles' variables are passed over: one file of variables often serves all processes.
 * @param known more names that are fine, such as those of shared groups that this process does not use.
 */
export function unknownVariables(definition: Definition, env: Environment, known: readonly string[] = []): string[] {
  const names = Object.keys(definition)
  const allKnown = new Set([...names, ...known, ...ofTests])
  const ownPrefixes = prefixes.filter(
    (prefix) => prefix === 'MILLRACE_' || names.some((name) => name.startsWith(prefix)),
  )
  const missing = names.filter((candidate) => hasRolePrefix(candidate) && env[candidate] === undefined)
  const warnings: string[] = []
  for (const name of Object.keys(env)) {
    if (allKnown.has(name) || env[name] === undefined) continue
    const hasPrefix = ownPrefixes.some((prefix) => name.startsWith(prefix))
    const near = hasPrefix
      ? nearest(name, [...allKnown], Math.max(2, Math.floor(name.length / 4)))
      : nearest(name, missing, 2)
    if (near) warnings.push(`${name} is not known: did you mean ${near}?`)
    else if (hasPrefix) warnings.push(`${name} is not known, and nothing reads it`)
  }
  return warnings
}

function hasRolePrefix(name: string): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix))
}

function nearest(name: string, candidates: readonly string[], limit: number): string | undefined {
  let best: { name: string; distance: number } | undefined
  for (const candidate of candidates) {
    const distance = editDistance(name, candidate)
    if (distance <= limit && distance < (best?.distance ?? Infinity)) best = { name: candidate, distance }
  }
  return best?.name
}

/** Letters to insert, delete or replace to make one name of the other. */
export function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
