import type { Subject } from './subject.ts'

/** What a trace comes to. */
export type TraceCode =
  /** As it should be: here, and as its PDS has it. */
  | 'indexed'
  /** Nothing is wrong here: there is nothing to index. */
  | 'not-on-pds'
  | 'deleted'
  | 'account-gone'
  | 'filtered'
  | 'duplicate'
  | 'account-inactive'
  | 'taken-down'
  /** On its way. */
  | 'pending'
  | 'waiting'
  | 'resync-waiting'
  | 'resync-running'
  | 'gap'
  /** Somebody has to do something. */
  | 'deserted'
  | 'dead-letter'
  | 'stale'
  | 'missing'
  | 'left-over'
  | 'not-derived'
  | 'status-differs'
  /** Who would know does not answer. */
  | 'database-away'
  | 'pds-away'

/**
 * What it means for who looks after the pipeline:
 * - `fine`: it is as it should be
 * - `wait`: it is on its way
 * - `act`: it stays as it is until somebody does something
 * - `unknown`: somebody who would know does not answer
 */
export type TraceLevel = 'fine' | 'wait' | 'act' | 'unknown'

/** What it comes to: where a record or an account has got to, and what to run. */
export interface TraceVerdict {
  code: TraceCode
  level: TraceLevel
  /** In words, for people. */
  sentence: string
  /** What to run next. */
  command?: string | undefined
}

/** What was found in one place. */
export interface TraceStep {
  place: 'identity' | 'pds' | 'relay' | 'stream' | 'dead-letters' | 'database' | 'gaps'
  outcome: 'yes' | 'no' | 'problem' | 'unknown'
  detail: string
}

/** Where a record or an account has got to. */
export interface Trace {
  subject: Subject
  verdict: TraceVerdict
  steps: readonly TraceStep[]
}
