import type { GetStatusOutput } from '@millrace/admin-api'
import { duration } from './duration.ts'
import type { Level } from './level.ts'

/** An open problem, as it is shown. */
export interface ShownProblem {
  key: string
  level: Level
  message: string
  meaning: string
  /** For how long it is known: `known for 12 s`. */
  age: string
  /** For a terminal. */
  command: string
  /** Where it is written up; absent where that is no place on the web. */
  runbook?: string | undefined
  /** The page that shows more. */
  page: string
}

/** The page that shows more of a problem, by the first words of its code that are found here. */
const pagesOfCodes: readonly (readonly [start: string, page: string])[] = [
  ['group-', 'streams'],
  ['entries-lost', 'gaps'],
  ['entries-', 'streams'],
  ['consumer-', 'streams'],
  ['stream-', 'streams'],
  ['lag', 'lag'],
  ['host-', 'lag'],
  ['future-cursor', 'lag'],
  ['outdated-cursor', 'lag'],
  ['window-', 'lag'],
  ['rows-', 'freshness'],
  ['gap-', 'gaps'],
  ['repair-', 'gaps'],
  ['dirty-', 'backfill'],
  ['future-revs', 'backfill'],
  ['run-', 'backfill'],
  ['dead-letters', 'dead-letters'],
]

/** What is wrong, the worst first and of those the oldest, each with its age, what it means and what to do. */
export function problemsOf({ problems }: Pick<GetStatusOutput, 'problems'>, now: number): ShownProblem[] {
  return problems
    .toSorted((a, b) => urgency(b.severity) - urgency(a.severity) || Date.parse(a.since) - Date.parse(b.since))
    .map(({ code, subject, severity, message, meaning, since, command, runbook }) => ({
      key: `${code} ${subject}`,
      level: urgency(severity) > 0 ? 'bad' : 'warn',
      message: capitalized(message),
      meaning,
      age: `known for ${duration((now - Date.parse(since)) / 1_000)}`,
      command,
      runbook: runbook.startsWith('https://') ? runbook : undefined,
      page: pagesOfCodes.find(([start]) => code.startsWith(start))?.[1] ?? 'doctor',
    }))
}

/** As a sentence begins; names of streams and groups stay as they are. */
function capitalized(message: string): string {
  return /^[a-z]+[ ,]/.test(message) ? `${message.charAt(0).toUpperCase()}${message.slice(1)}` : message
}

function urgency(severity: string): number {
  return severity === 'page' ? 1 : 0
}
