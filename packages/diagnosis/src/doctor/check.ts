import type { Answer } from '../answer.ts'
import type { ProblemCode } from '../problems/problem-kinds.ts'
import type { BookkeepingFacts, DatabaseFacts, DoctorFacts, StoreFacts } from './facts.ts'

/**
 * - `ok`
 * - `warn`: it works, and somebody should look at it
 * - `fail`: something is lost, stands still, or will
 * - `unknown`: who would know does not answer
 */
export type CheckVerdict = 'ok' | 'warn' | 'fail' | 'unknown'

/** What was seen, what it means, and what to do. */
export interface Finding {
  verdict: CheckVerdict
  /** What kind of problem it is, unless all is well or not known. */
  code?: ProblemCode
  /** What it is about, such as a stream and its group; none for the pipeline as a whole. */
  subject?: string
  /** What was seen. */
  evidence: string
  /** What that means, unless all is well. */
  meaning?: string
  /** What to do first. */
  command?: string
}

/** One question about the pipeline, answered from facts alone. */
export interface Check {
  readonly id: string
  readonly title: string
  /** Undefined where it does not apply, such as one about memory to a store in a file. */
  look(facts: DoctorFacts): Finding | readonly Finding[] | undefined
}

export function ok(evidence: string): Finding {
  return { verdict: 'ok', evidence }
}

type Trouble = Required<Pick<Finding, 'evidence' | 'meaning' | 'command'>> & Pick<Finding, 'subject'>

export function warn(code: ProblemCode, trouble: Trouble): Finding {
  return { verdict: 'warn', code, ...trouble }
}

export function fail(code: ProblemCode, trouble: Trouble): Finding {
  return { verdict: 'fail', code, ...trouble }
}

type Looked = Finding | readonly Finding[] | undefined

/** What a store that does not answer would have told is not known. That it does not answer is a finding of its own. */
export function ofStore(look: (store: StoreFacts, facts: DoctorFacts) => Looked): Check['look'] {
  return (facts) => of(facts.store, (store) => look(store, facts))
}

/** The same for the database. */
export function ofDatabase(look: (database: DatabaseFacts, facts: DoctorFacts) => Looked): Check['look'] {
  return (facts) => facts.database && of(facts.database, (database) => look(database, facts))
}

/** The same for our tables in it. */
export function ofBookkeeping(look: (kept: BookkeepingFacts, facts: DoctorFacts) => Looked): Check['look'] {
  return ofDatabase(({ bookkeeping }, facts) => bookkeeping && look(bookkeeping, facts))
}

function of<T>(answer: Answer<T>, look: (value: T) => Looked): Looked {
  return answer.ok ? look(answer.value) : { verdict: 'unknown', evidence: answer.why }
}
