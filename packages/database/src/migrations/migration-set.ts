import { migrations, type Migration } from './index.ts'

/** Migrations of tables that are not Millrace's, such as those of a lexicon of one's own. */
export interface MigrationSet {
  /** Keeps their names apart from those of others: a domain of one's own, reversed, such as `xyz.statusphere`. */
  readonly name: string
  /** In order. A name never changes once it was released, and neither does its SQL. */
  readonly migrations: readonly Migration[]
}

const isName = (text: string): boolean => /^[a-z0-9][a-z0-9._-]{0,252}$/i.test(text)

/**
 * Ours, as a set without a name, and the other sets, with the names that `millrace_migration` has their migrations by:
 * ours as they are, others as `xyz.statusphere/0001-status`.
 */
export function recordedSets(sets: readonly MigrationSet[]): MigrationSet[] {
  const names = new Set<string>()
  for (const { name } of sets) {
    if (!isName(name)) throw new TypeError(`not a name for a set of migrations: ${JSON.stringify(name)}`)
    if (names.has(name)) throw new TypeError(`two sets of migrations are called ${name}`)
    names.add(name)
  }
  return [{ name: '', migrations }, ...sets.map((set) => ({ name: set.name, migrations: recorded(set) }))]
}

function recorded(set: MigrationSet): Migration[] {
  const names = new Set<string>()
  return set.migrations.map(({ name, sql }) => {
    if (!isName(name)) throw new TypeError(`not a name for a migration of ${set.name}: ${JSON.stringify(name)}`)
    if (names.has(name)) throw new TypeError(`two migrations of ${set.name} are called ${name}`)
    names.add(name)
    return { name: `${set.name}/${name}`, sql }
  })
}

/** The set that a recorded name belongs to; empty for ours. */
export function setOfMigration(recordedName: string): string {
  return recordedName.slice(0, Math.max(0, recordedName.indexOf('/')))
}
