import { runbookUrl, type Severity, type WatchedProblem } from '@millrace/diagnosis'
import type { ProblemReport } from './status.ts'

const order: readonly Severity[] = ['page', 'ticket', 'advice']

/** Problems as methods tell them, the worst first. Advice is for doctors. */
export function problemReports(problems: readonly WatchedProblem[]): ProblemReport[] {
  return problems
    .filter(({ severity }) => severity !== 'advice')
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
    .map(({ code, severity, subject, message, meaning, command, since }) => ({
      code,
      severity,
      subject,
      since: new Date(since).toISOString(),
      message,
      meaning,
      command,
      runbook: runbookUrl(code),
    }))
}
