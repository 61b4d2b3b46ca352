import type { StoredAlarm } from '@millrace/database'
import { problemKey, problemKinds, type WatchedProblem } from '@millrace/diagnosis'

/** What is not seen for so long is over: until then it may have looked away for a moment. */
export const QUIET_MS = 300_000
/** An end that could not be told for so long is not told any more. */
const FORGET_MS = 86_400_000

/**
 * What becomes of the alarms by one look. A problem is an alarm once it has lasted as long as its kind has to, and over
 * once it was gone for a while, so that one that comes and goes is one alarm. A function of values.
 */
export function stepAlarms(
  alarms: readonly StoredAlarm[],
  problems: readonly WatchedProblem[],
  now: number,
  quietMs = QUIET_MS,
): StoredAlarm[] {
  const before = new Map(alarms.map((alarm) => [problemKey(alarm), alarm]))
  const seen = problems
    .filter(({ severity }) => severity !== 'advice')
    .map((problem) => seenAlarm(problem, before.get(problemKey(problem)), now))
  const keys = new Set(seen.map(problemKey))
  const unseen = alarms
    .filter((alarm) => !keys.has(problemKey(alarm)))
    .flatMap((alarm) => unseenAlarm(alarm, now, quietMs))
  return [...seen, ...unseen]
}

function seenAlarm(problem: WatchedProblem, known: StoredAlarm | undefined, now: number): StoredAlarm {
  const { code, subject, severity, message, meaning, command } = problem
  const isOn = known !== undefined && known.endedAt === null
  const since = isOn ? Math.min(known.since, problem.since) : problem.since
  const hasHeld = now - since >= problemKinds[code].holdSeconds * 1_000
  return {
    code,
    subject,
    severity,
    message,
    meaning,
    command,
    since,
    seenAt: now,
    openedAt: (isOn ? known.openedAt : null) ?? (hasHeld ? now : null),
    endedAt: null,
    // For those who have not heard of its end it has never ended.
    told: known?.told ?? {},
  }
}

function unseenAlarm(alarm: StoredAlarm, now: number, quietMs: number): StoredAlarm[] {
  const { openedAt, endedAt, seenAt, told } = alarm
  if (endedAt !== null) return Object.keys(told).length > 0 && now - endedAt < FORGET_MS ? [alarm] : []
  if (now - seenAt < quietMs) return [alarm]
  return openedAt === null ? [] : [{ ...alarm, endedAt: now }]
}

/** What another process has kept, beside what is known here. What was told by either is told. */
export function mergeAlarms(stored: readonly StoredAlarm[], known: readonly StoredAlarm[]): StoredAlarm[] {
  const byKey = new Map(stored.map((alarm) => [problemKey(alarm), alarm]))
  for (const alarm of known) {
    const other = byKey.get(problemKey(alarm))
    byKey.set(problemKey(alarm), other ? join(alarm, other) : alarm)
  }
  return [...byKey.values()]
}

function join(alarm: StoredAlarm, other: StoredAlarm): StoredAlarm {
  const told = { ...other.told, ...alarm.told }
  if (other.endedAt !== null) return { ...alarm, told }
  const openedAt = [alarm.openedAt, other.openedAt].filter((at) => at !== null)
  return {
    ...alarm,
    since: Math.min(alarm.since, other.since),
    openedAt: openedAt.length > 0 ? Math.min(...openedAt) : null,
    told,
  }
}
