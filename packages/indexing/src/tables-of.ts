import type { RecordPlugin } from './plugin.ts'

/** Tables that records go to by these plugins, and those that all records go to; some more than once. */
export function* tablesOf(plugins: readonly RecordPlugin[]): Generator<string> {
  yield* ['record', 'duplicate_record', 'millrace_tombstone']
  for (const plugin of plugins) {
    if (plugin.table) yield plugin.table
    for (const part of plugin.parts ?? []) yield part.table
    for (const count of [...(plugin.counts ?? []), ...(plugin.parts ?? []).flatMap((part) => part.counts ?? [])])
      yield count.table
  }
}
