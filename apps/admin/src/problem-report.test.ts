import type { WatchedProblem } from '@millrace/diagnosis'
import { expect, test } from 'vitest'
import { problemReports } from './problem-report.ts'

const found: Omit<WatchedProblem, 'code' | 'severity'> = {
  subject: 's g',
  check: 'c',
  message: 'seen',
  meaning: 'It means.',
  command: 'do',
  since: Date.parse('2026-10-24T12:00:00Z'),
}

test('problems are told the worst first, with their section of the runbook; advice is for doctors', () => {
  const reports = problemReports([
    { ...found, code: 'lag', severity: 'ticket' },
    { ...found, code: 'store-unlimited', severity: 'advice' },
    { ...found, code: 'group-stalled', severity: 'page' },
  ])
  expect(reports.map(({ code }) => code)).toEqual(['group-stalled', 'lag'])
  expect(reports[0]).toEqual({
    code: 'group-stalled',
    severity: 'page',
    subject: 's g',
    message: 'seen',
    meaning: 'It means.',
    command: 'do',
    since: '2026-10-24T12:00:00.000Z',
    runbook: 'https://github.com/millrace/millrace/blob/main/docs/runbook.md#group-stalled',
  })
})
