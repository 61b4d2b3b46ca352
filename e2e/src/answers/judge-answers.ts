import { formatColumns } from '@millrace/testing/results'
import type { TableVerdict } from '../compare/compare-databases.ts'
import type { RowIndex } from '../compare/deviations.ts'
import type { GivenAnswer } from './ask.ts'
import { AcceptedRows } from './accepted-rows.ts'
import { compareAnswers, type AnswerDifference } from './compare-answers.ts'
import { explainDifference } from './explain.ts'
import type { Recorded, RecordedCall } from './recorded-calls.ts'
import { settle } from './settle.ts'

export interface MethodVerdict {
  nsid: string
  calls: number
  equal: number
  /** Answers that differ only in what deviations explain. */
  explained: number
  /** In how many answers each of them was needed. */
  deviations: Map<string, number>
  /** Answers that differ in what nothing explains. */
  different: { call: RecordedCall; differences: AnswerDifference[] }[]
}

export interface AnswerComparison {
  recorded: Recorded
  /** One for each recorded call. */
  answers: readonly GivenAnswer[]
  /** The comparison of the rows that the two were given over. */
  tables: readonly TableVerdict[]
  rows: RowIndex
}

/** Compares all answers with the recorded ones, method by method. A function of values. */
export function judgeAnswers({ recorded, answers, tables, rows }: AnswerComparison): MethodVerdict[] {
  const accepted = new AcceptedRows(tables, rows)
  const verdicts = new Map<string, MethodVerdict>()
  for (const [index, call] of recorded.calls.entries()) {
    const verdict = verdicts.get(call.nsid) ?? noCallsOf(call.nsid)
    verdicts.set(call.nsid, verdict)
    verdict.calls += 1
    const { names, unexplained, isEqual } = judge(call, recorded.at, answers[index], accepted)
    if (isEqual) verdict.equal += 1
    else if (unexplained.length > 0) verdict.different.push({ call, differences: unexplained })
    else {
      verdict.explained += 1
      for (const name of names) verdict.deviations.set(name, (verdict.deviations.get(name) ?? 0) + 1)
    }
  }
  return [...verdicts.values()]
}

function judge(
  call: RecordedCall,
  recordedAt: number,
  answer: GivenAnswer | undefined,
  rows: AcceptedRows,
): { names: Set<string>; unexplained: AnswerDifference[]; isEqual: boolean } {
  const names = new Set<string>()
  if (answer?.status !== call.status) {
    const status = { at: '$', kind: 'changed', field: 'status', subject: undefined } as const
    const unexplained = [{ ...status, expected: call.status, actual: answer?.body ?? null }]
    return { names, unexplained, isEqual: false }
  }
  const pair = {
    call,
    expected: settle(call.nsid, call, recordedAt),
    actual: settle(call.nsid, answer, answer.at),
    rows,
  }
  const differences = compareAnswers(pair.expected, pair.actual).filter(({ at }) => !call.volatile?.includes(at))
  const unexplained = differences.filter((difference) => {
    const found = explainDifference(difference, pair)
    for (const name of found) names.add(name)
    return found.length === 0
  })
  return { names, unexplained, isEqual: differences.length === 0 }
}

function noCallsOf(nsid: string): MethodVerdict {
  return { nsid, calls: 0, equal: 0, explained: 0, deviations: new Map(), different: [] }
}

/** The comparison method by method, for people. */
export function renderAnswers(verdicts: readonly MethodVerdict[]): string {
  const lines = [['method', 'calls', 'equal', 'explained', 'different', 'explained by']]
  for (const { nsid, calls, equal, explained, deviations, different } of verdicts) {
    lines.push([
      nsid,
      String(calls),
      String(equal),
      explained === 0 ? '-' : String(explained),
      different.length === 0 ? '-' : String(different.length),
      [...deviations].map(([name, count]) => `${name} ${count}`).join(', '),
    ])
  }
  const samples = verdicts.flatMap(({ different }) =>
    different
      .slice(0, 3)
      .flatMap(({ call: { nsid, params, viewer }, differences }) => [
        `  ${nsid} ${JSON.stringify(params)}${viewer === null ? '' : ` as ${viewer}`}`,
        ...differences
          .slice(0, 5)
          .map(({ at, kind, expected, actual }) => `    ${at} ${kind} ${textOf(expected)} → ${textOf(actual)}`),
      ]),
  )
  return [formatColumns(lines, [1, 2, 3, 4]), ...(samples.length > 0 ? ['', 'different:', ...samples] : [])].join('\n')
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
