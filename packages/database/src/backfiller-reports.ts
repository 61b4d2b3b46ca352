import type { Database } from './open-database.ts'
import { PostgresState } from './postgres-state.ts'

/** What one backfiller says of itself, for whoever asks how far the backfill is. */
export interface BackfillerReport {
  /** Entries of its stream that are not finished, those of other backfillers too. */
  left: number
  running: number
  /** Repos that wait for another attempt. */
  retrying: number
  /** Repos that it has finished since it began, in whatever way. */
  finished: number
  /** Of these, how many in a second, in the last minute or so. */
  perSecond: number
  at: number
}

/** Reports that are older say nothing about now. */
export const REPORT_MS = 30_000

/** Where backfillers report. */
export function backfillerReports(database: Pick<Database, 'pool'>): PostgresState<BackfillerReport> {
  return new PostgresState({ database, scope: 'backfillers' })
}
