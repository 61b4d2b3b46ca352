import type { MigrationSet } from '@millrace/database'
import { pluginMap, type RecordPlugin } from './plugin.ts'

/**
 * What belongs to an AppView of one's own: how records become rows, and the tables for them. `migrate` takes it for its
 * tables, `IndexingService` its plugins.
 */
export interface PluginSet extends MigrationSet {
  readonly plugins: readonly RecordPlugin[]
}

/**
 * Declares a set of plugins with the tables that they write.
 *
 * @throws when two plugins claim one collection, or one table.
 *
 * @example
 * const statusphere = definePluginSet({
 *   name: 'xyz.statusphere',
 *   plugins: [statusPlugin],
 *   migrations: [{ name: '0001-status', sql: 'create table status (…)' }],
 * })
 * await migrate(database, { sets: [statusphere] })
 */
export function definePluginSet(set: PluginSet): PluginSet {
  pluginMap(set.plugins)
  return set
}
