import type { GeneratedAlways } from 'kysely'
import type { NotOurs } from './column-types.ts'

/** Every record of a collection that we index, whole. */
export interface RecordTable {
  uri: string
  cid: string
  did: string
  /** The record as JSON text, never empty: deleted records are in `millrace_tombstone`. */
  json: string
  indexedAt: string
  takedownRef: NotOurs<string | null>
  tags: NotOurs<string[] | null>
  /** Compare it `collate "C"`: where another pipeline added the column, it may have another collation. */
  rev: string | null
}

/** A record that would be a second one of a pair that must be unique, such as a second like of one post. */
export interface DuplicateRecordTable {
  uri: string
  cid: string
  duplicateOf: string
  indexedAt: string
}

export interface NotificationTable {
  id: GeneratedAlways<number>
  /** Who is told. */
  did: string
  recordUri: string
  recordCid: string
  author: string
  reason: string
  reasonSubject: string | null
  sortAt: string
}

export interface LabelTable {
  src: string
  uri: string
  /** Empty when the label is about all versions. */
  cid: string
  val: string
  neg: boolean
  cts: string
  exp: string | null
}

/** Written by the AppView; read to leave out notifications. */
export interface ThreadMuteTable {
  rootUri: string
  mutedByDid: string
  createdAt: string
}
