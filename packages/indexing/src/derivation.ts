import type { CountDeltas } from './counts.ts'
import type { NotificationRow } from './notification-row.ts'
import type { RecordContext, Row } from './plugin.ts'
import type { Session } from './session.ts'

/** A typed row that came, with the record it was made from. */
export interface AddedRow {
  row: Row
  context: RecordContext<unknown>
}

/** What a transaction has done so far to the collections that a derivation belongs to. */
export interface AppliedRows {
  /** By table: typed rows that are new in this transaction. */
  added(table: string): readonly AddedRow[]
  /** By table: typed rows as they were before they were removed. A replaced record is in both. */
  removed(table: string): readonly Row[]
  /** URIs of records of a collection that were written or removed, whether or not they have a typed row. */
  touched(collection: string): readonly string[]
}

/** What a derivation may change beside the rows that it updates itself. */
export interface DerivedEffects {
  counts: CountDeltas
  /** Notifications to add. */
  notify(rows: readonly NotificationRow[]): void
  /** Notifications to take back, of records that stay. */
  retract(rows: readonly { did: string; recordUri: string; reason: string }[]): void
  /** Whether a notification of this time is still news. */
  isNews(sortAt: string): boolean
}

/**
 * Fields of rows that depend on other records: decided when a record is applied, and again when what they depend on
 * comes, changes or goes, so that the order of arrival does not matter (hazard X12). The one part of a plugin that
 * talks to the database; it runs inside the batch's transaction, after the rows are written.
 */
export interface Derivation {
  readonly name: string
  run(session: Session, applied: AppliedRows, effects: DerivedEffects): Promise<void>
}
