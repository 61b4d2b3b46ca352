import type { Derivation } from './derivation.ts'
import type { RecordType } from './record-type.ts'

/** A record with its place, as a plugin sees it. */
export interface RecordContext<R> {
  /** `at://did/collection/rkey` */
  uri: string
  cid: string
  /** The account whose repo holds it. */
  did: string
  rkey: string
  record: R
  /** When we first saw this version: UTC with milliseconds, never in the future. */
  indexedAt: string
}

/** A value of a column, as Postgres is sent it. JSON goes as text, times in UTC with milliseconds. */
export type Cell = string | number | boolean | null
/** One row as column → value. All rows of a plugin's table have the same columns. JSON columns take their JSON text. */
export type Row = { [column: string]: Cell }

/** A column of a plugin's rows. What `toRow` returns says which there are. */
type ColumnOf<T> = keyof NoInfer<T> & string

/**
 * A number kept beside a subject: rises by one for each row, falls with it. As data, so that the same words say how to
 * count one row and how to count all of them.
 */
export interface Count {
  /** The table of the number, with its key column. */
  table: string
  key: string
  column: string
  /** Column of the counted row that holds its subject; null counts nowhere. */
  of: string
  /** A boolean column of the counted row: where it is true the row does not count. @default every row counts */
  unless?: string
}

/** What one account is told of a record. It is taken back when the record or its subject goes. */
export interface Notification {
  /** Recipient. Dropped unless it is a DID, and never sent to the record's own author. */
  did: string
  reason: string
  /** What it is about; null when the record itself says it all. */
  reasonSubject: string | null
  /** When it belongs in the recipient's list. */
  sortAt: string
  /** When it happened: what is older than the horizon is told to nobody. @default sortAt */
  happenedAt?: string
}

/** Further rows that a record leads to, in a table of their own. They live and die with the record's main row. */
export interface Part<R> {
  table: string
  /** The column that holds the record's URI. */
  owner: string
  toRows: (context: RecordContext<R>) => Row[]
  counts?: readonly Count[]
  /** As those of the main row. */
  lockColumns?: readonly string[]
  /** When the record is deleted, its rows stay and are marked. */
  markDeleted?: {
    /** Gets the time of deletion. */
    column: string
    /** The table's primary key. */
    key: readonly string[]
    /** A further column of the key, with its value in the typed row: the owner alone has no index. */
    locate: { column: string; of: (row: Row) => Cell }
  }
}

/** How the records of one collection become rows. It only describes: no client, no clock, no await. */
export interface RecordPlugin<R = unknown, T extends Row = Row> {
  collection: RecordType<R>
  /** The only record key that gets typed rows, such as `self`. @default any */
  rkey?: string
  /**
   * The typed table, which no other plugin has; its column `uri` is the record's. Without one the record is kept in
   * `record` alone.
   */
  table?: string
  /** The typed row; null keeps the record without one. */
  toRow?: (context: RecordContext<R>) => T | null
  /**
   * Columns of which an account can hold only one combination, with a unique index on just these. Of several records
   * that claim one, the smallest URI has the row, whatever arrived first; the others wait as its duplicates (hazard X7).
   */
  uniqueBy?: readonly ColumnOf<T>[]
  parts?: readonly Part<R>[]
  counts?: readonly Count[]
  notify?: (row: NoInfer<T>, context: RecordContext<R>) => Notification[]
  /** Reads and writes of what depends on other records; runs once for a batch. */
  derivation?: Derivation
  /** What this record is part of for the derived fields of others, by name: batches with one name go one by one. */
  locks?: (context: RecordContext<R>) => string[]
  /**
   * Names of what its own derived fields depend on: batches that only share such names go at once, as long as the record
   * is new and nothing refers to it. Else they are as `locks`.
   */
  sharedLocks?: (context: RecordContext<R>) => string[]
  /** Columns of the stored row whose values are such names too: for deletions, whose record is gone. */
  lockColumns?: readonly string[]
  /** Column of the table, with an index, by which other rows refer to the record as what they depend on. */
  referredBy?: string
}

/**
 * Declares how one collection is indexed.
 *
 * @example
 * const graphFollow = defineRecordPlugin({
 *   collection: recordType<AppBskyGraphFollow.Record>('app.bsky.graph.follow', lexicons),
 *   table: 'follow',
 *   toRow: ({ uri, cid, did, record, indexedAt }) => ({ uri, cid, creator: did, subjectDid: record.subject, createdAt: canonicalTime(record.createdAt), indexedAt }),
 *   uniqueBy: ['creator', 'subjectDid'],
 *   counts: [{ table: 'profile_agg', key: 'did', column: 'followersCount', of: 'subjectDid' }],
 * })
 */
export function defineRecordPlugin<R, T extends Row = Row>(plugin: RecordPlugin<R, T>): RecordPlugin {
  const { collection, table, toRow } = plugin
  if ((table === undefined) !== (toRow === undefined))
    throw new Error(`plugin of ${collection.collection}: table and toRow go together`)
  if (plugin.uniqueBy?.length === 0) throw new Error(`plugin of ${collection.collection}: uniqueBy names no column`)
  // A plugin is only ever given records that its own collection has parsed.
  return plugin as unknown as RecordPlugin
}

/** Plugins by collection. */
export type PluginMap = ReadonlyMap<string, RecordPlugin>

/** @throws when two plugins claim one collection, or one table. */
export function pluginMap(plugins: readonly RecordPlugin[]): PluginMap {
  const map = new Map<string, RecordPlugin>()
  const collectionOf = new Map<string, string>()
  for (const plugin of plugins) {
    const name = plugin.collection.collection
    if (map.has(name)) throw new Error(`two plugins for ${name}`)
    map.set(name, plugin)
    if (plugin.table === undefined) continue
    const other = collectionOf.get(plugin.table)
    if (other !== undefined) throw new Error(`plugins of ${other} and ${name} both write the rows of ${plugin.table}`)
    collectionOf.set(plugin.table, name)
  }
  return map
}
