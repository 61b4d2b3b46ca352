import type { DirtyMark, StreamEvent } from '@millrace/stream-protocol'
import type { Outcome } from './record-op.ts'
import type { Session } from './session.ts'

/** An event that cannot be a row: counted, and kept with its reason by the caller. */
export interface Rejection {
  /** Position in the events that were given. */
  index: number
  reason: 'invalid-record' | 'too-long'
  error: string
}

/** What a batch came to. All of it is committed when it is returned. */
export interface IndexResult {
  /** What became of each event, in order. */
  outcomes: Outcome[]
  rejected: Rejection[]
  /** Accounts whose repo has to be looked at again, to be noted before the events are acked (hazard G4). */
  dirty: DirtyMark[]
  /** Statements and round trips that it took. */
  statements: number
  roundTrips: number
}

/** What was found out about the events of a batch, by their positions. */
export interface DecidedBatch {
  decided: ReadonlyMap<number, Outcome>
  /** Why events are no records. */
  invalid: ReadonlyMap<number, string>
  /** Marks that were made with the rows. */
  dirty: readonly DirtyMark[]
  session: Pick<Session, 'statements' | 'roundTrips'>
}

/**
 * What a batch came to, told by its events.
 * @throws when nothing became of one: it would be lost without a word (hazard G1).
 */
export function indexResult(
  events: readonly StreamEvent[],
  { decided, invalid, dirty, session }: DecidedBatch,
): IndexResult {
  const result: IndexResult = {
    outcomes: [],
    rejected: [],
    dirty: [...dirty],
    statements: session.statements,
    roundTrips: session.roundTrips,
  }
  for (const [index, event] of events.entries()) {
    const outcome = decided.get(index)
    if (outcome === undefined) throw new Error(`event ${index} of ${event.did} was not decided`)
    result.outcomes.push(outcome)
    const error = invalid.get(index)
    if (error !== undefined && outcome !== 'skipped' && outcome !== 'stale')
      result.rejected.push({ index, reason: 'invalid-record', error })
    if (outcome === 'equivocation')
      result.dirty.push({
        did: event.did,
        reason: 'equivocation',
        host: event.host,
        rev: 'rev' in event ? event.rev : undefined,
      })
  }
  return result
}
