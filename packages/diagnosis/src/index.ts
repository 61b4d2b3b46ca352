export { answerOf, valueOf, type Answer } from './answer.ts'
export type { CheckVerdict, Finding } from './doctor/check.ts'
export { diagnose, type CheckResult, type Diagnosis } from './doctor/diagnose.ts'
export type { DeclaredStream, DoctorFacts, ExposureFacts } from './doctor/facts.ts'
export { gatherFacts, type DoctorSources } from './doctor/gather-facts.ts'
export { isGroupPaused, pauseTrouble } from './pauses.ts'
export {
  isAlarmCode,
  problemCodes,
  problemKinds,
  runbookUrl,
  type ProblemCode,
  type ProblemKind,
  type Severity,
} from './problems/problem-kinds.ts'
export { problemKey, problemsOf, type Problem } from './problems/problem.ts'
export { ProblemWatch, type Look, type ProblemWatchOptions, type WatchedProblem } from './problems/problem-watch.ts'
export {
  judgeOnce,
  ProgressWatch,
  type GroupProgress,
  type GroupVerdict,
  type ProgressWatchOptions,
} from './progress-watch.ts'
export type { Trace, TraceCode, TraceLevel, TraceStep, TraceVerdict } from './trace/trace.ts'
export { traceSubject, UnknownSubjectError, type TraceSources } from './trace/trace-subject.ts'
export { distances, type Distances } from './upstream/distances.ts'
export { probeUpstream, readHead, type HostEvent, type Probe, type ProbeOptions } from './upstream/probe.ts'
export { readEntry } from './read-entry.ts'
export { isDeserted, oldestWaitingId } from './waiting.ts'
export { jsonObject } from './json-object.ts'
