import {
  isAlarmCode,
  problemCodes,
  problemKinds,
  runbookUrl,
  type ProblemCode,
  type ProblemKind,
} from '../problems/problem-kinds.ts'
import { metricAlarms, processAlarms, WATCHDOG, type MetricAlarm } from './metric-alarms.ts'

/** A rule as Prometheus has it, and what shows that it holds. */
export interface AlertRule {
  /** Its section of the runbook. */
  code: string
  /** Such as `MillraceGroupStalled`. */
  alert: string
  severity: string
  title: string
  description: string
  expr: string
  holdSeconds: number
  series: readonly MetricAlarm['series'][]
}

/** A rule for every problem that is an alarm, and for what metrics alone show. */
export function alertRules(): AlertRule[] {
  return [
    ...problemCodes.filter(isAlarmCode).map((code) => {
      const alarms = [problemAlarm(code), processAlarms[code]].filter((alarm) => alarm !== undefined)
      return rule(code, problemKinds[code], alarms)
    }),
    ...Object.entries(metricAlarms).map(([code, alarm]) => rule(code, alarm, [alarm])),
    rule(WATCHDOG, { severity: 'none', title: 'Alarms arrive', holdSeconds: 0 }, [
      { expr: 'vector(1)', series: { bad: [], good: [], labels: {} } },
    ]),
  ]
}

function problemAlarm(code: ProblemCode): MetricAlarm {
  const series = `millrace_problems{code="${code}",severity="${problemKinds[code].severity}",instance="a"}`
  return {
    expr: `max(millrace_problems{code="${code}"}) > 0`,
    series: { bad: [{ series, values: '0x2 1x1500' }], good: [{ series, values: '0x1500' }], labels: {} },
  }
}

function rule(
  code: string,
  { severity, title, holdSeconds }: Omit<ProblemKind, 'severity'> & { severity: string },
  alarms: readonly MetricAlarm[],
): AlertRule {
  return {
    code,
    alert: `Millrace${code.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`,
    severity,
    title,
    description: descriptionOf(code),
    expr: alarms.map(({ expr }) => (alarms.length > 1 ? `(${expr})` : expr)).join(' or '),
    holdSeconds,
    series: alarms.map(({ series }) => series),
  }
}

/** The rules as a file of Prometheus. */
export function prometheusRules(): string {
  const lines = [
    '# Made by `millrace alerts print`: a rule for each section of docs/runbook.md that is an alarm.',
    '# Severities: page wakes somebody, ticket is looked at in the day, none is MillraceWatchdog, which always fires.',
    'groups:',
    '  - name: millrace',
    '    rules:',
  ]
  for (const { code, alert, severity, title, description, expr, holdSeconds } of alertRules())
    lines.push(
      `      - alert: ${alert}`,
      `        expr: ${quoted(expr)}`,
      ...(holdSeconds > 0 ? [`        for: ${holdSeconds}s`] : []),
      `        labels:`,
      `          severity: ${severity}`,
      `          code: ${code}`,
      `        annotations:`,
      `          summary: ${quoted(title)}`,
      `          description: ${quoted(description)}`,
      `          runbook_url: ${quoted(runbookUrl(code))}`,
    )
  return `${lines.join('\n')}\n`
}

function descriptionOf(code: string): string {
  return Object.hasOwn(problemKinds, code)
    ? 'What it is about, and what to do: millrace status, millrace doctor'
    : 'What it means, and what to do: see the runbook'
}

/** A string as YAML takes it for one. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
