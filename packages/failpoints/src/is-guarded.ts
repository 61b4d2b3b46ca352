import { chosen } from './chosen.ts'
import { guards, type Guard } from './guards.ts'

const names = (process.env['MILLRACE_MUTANT'] ?? '').split(',').filter((name) => name !== '')
const missing: ReadonlySet<Guard> = new Set(chosen('MILLRACE_MUTANT', names, guards))

/** Whether the guard of this name is in its place: always, but in a test that proves that its absence is noticed. */
export function isGuarded(guard: Guard): boolean {
  return missing.size === 0 || !missing.has(guard)
}
