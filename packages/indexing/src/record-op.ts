import type { RecordContext, RecordPlugin, Row } from './plugin.ts'

interface OpPlace {
  uri: string
  did: string
  collection: string
  rkey: string
  /** Revision of the commit, or of the whole repo that the record was read from. */
  rev: string
  indexedAt: string
  plugin: RecordPlugin | undefined
  /** Applied although its content is what is stored, as long as the stored revision is not known (hazard B20). */
  reindex?: boolean
}

/** A record as it shall be. */
export interface PutOp extends OpPlace {
  action: 'put'
  cid: string
  /** The record's JSON text, as `record.json` keeps it. */
  json: string
  /** The checked record, with what a plugin gets to see. */
  context: RecordContext<unknown>
  /** The typed row; null when the record has none. */
  row: Row | null
  /** Its collection is paused: what stands for the record in tables stays as it is until its account is fetched again. */
  isHeld?: boolean
}

/** A record that shall be gone: deleted, or replaced by one that its lexicon forbids (hazard X9). */
export interface RemoveOp extends OpPlace {
  action: 'remove'
  /** Why the new version is no record; absent for a deletion. */
  invalid?: string
  /** A version that came and went within one batch: what marks deletions has to know it. */
  passing?: RecordContext<unknown>
}

export type RecordOp = PutOp | RemoveOp

/** What the tables say about the records and repos of a batch. */
export interface StoredState {
  /** Live records by URI. A row of an older pipeline may lack its revision. */
  records: ReadonlyMap<string, { rev: string | null; cid: string }>
  /** Revisions at which records were removed, by URI. */
  tombstones: ReadonlyMap<string, string>
  /** URIs of which the newest version was refused. They have a tombstone. */
  refused: ReadonlySet<string>
  /** Revision up to which everything of a repo is reflected, by DID. */
  floors: ReadonlyMap<string, string>
}

/**
 * What became of one event. Every event ends as exactly one of these (hazard G1).
 * - `applied`: its effects are committed
 * - `duplicate`: they were there already
 * - `stale`: something newer was there, or came in the same batch
 * - `equivocation`: another content of the same revision is there; that one stays, the account is marked dirty
 * - `invalid`: no record of its collection; an older version of it is gone, and it is in the dead letters
 * - `skipped`: a collection that is not kept, or an account that was deleted
 */
export type Outcome = 'applied' | 'duplicate' | 'stale' | 'equivocation' | 'invalid' | 'skipped'

export const outcomes: readonly Outcome[] = ['applied', 'duplicate', 'stale', 'equivocation', 'invalid', 'skipped']
