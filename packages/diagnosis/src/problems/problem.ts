import type { Diagnosis } from '../doctor/diagnose.ts'
import { problemKinds, type ProblemCode, type Severity } from './problem-kinds.ts'

/** Something that is wrong. */
export interface Problem {
  code: ProblemCode
  severity: Severity
  /** What it is about, such as a stream and its group; empty for the pipeline as a whole. */
  subject: string
  /** The check that found it. */
  check: string
  /** What was seen. */
  message: string
  /** What that means. */
  meaning: string
  /** What to do first. */
  command: string
}

/** Code and subject: the same problem has the same key, however its figures change. */
export function problemKey({ code, subject }: { code: string; subject: string }): string {
  return `${code} ${subject}`
}

/** What a diagnosis has found to be wrong: each kind once for what it is about. */
export function problemsOf({ checks }: Pick<Diagnosis, 'checks'>): Problem[] {
  const byKey = new Map<string, Problem>()
  for (const { id, code, subject = '', evidence, meaning = '', command = '' } of checks) {
    if (code === undefined) continue
    const { severity } = problemKinds[code]
    const problem = { code, severity, subject, check: id, message: evidence, meaning, command }
    const key = problemKey(problem)
    if (!byKey.has(key)) byKey.set(key, problem)
  }
  return [...byKey.values()]
}
