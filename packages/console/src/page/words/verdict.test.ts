import type { GetStatusOutput } from '@millrace/admin-api'
import { describe, expect, test } from 'vitest'
import { problemsOf } from './problems.ts'
import { verdictOf } from './verdict.ts'

const now = Date.parse('2025-10-24T12:00:00.000Z')

function status(changes: Partial<GetStatusOutput> = {}): GetStatusOutput {
  return {
    status: 'ok',
    checkedAt: new Date(now).toISOString(),
    problems: [],
    store: { kind: 'redis', location: 'redis://x' },
    streams: [],
    cursors: [],
    ...changes,
  }
}

const stream = (lagSeconds: number) => ({ name: 'firehose_live', length: 5, lagSeconds, groups: [] })

const problem = (code: string, severity: string, changes: Partial<GetStatusOutput['problems'][number]> = {}) => ({
  code,
  severity,
  subject: 'a subject',
  since: '2025-10-24T11:58:00.000Z',
  message: `a ${code} was seen`,
  meaning: `It means ${code}.`,
  command: 'millrace doctor',
  runbook: `https://millrace.example/runbook#${code}`,
  ...changes,
})

describe('the verdict', () => {
  test('is that all is well, and how far behind the rows are', () => {
    expect(verdictOf({ value: status({ streams: [stream(0)] }), at: now }, now)).toEqual({
      level: 'ok',
      sentence: 'All is well.',
      detail: 'Everything that has arrived is in the rows.',
    })
    expect(verdictOf({ value: status({ streams: [stream(41)] }), at: now }, now).detail).toBe(
      'The oldest event that waits came 41 s ago.',
    )
  })

  test('begins with the worst problem, of those with the oldest, and counts the others', () => {
    const problems = [
      problem('gap-open', 'ticket', { since: '2025-10-14T00:00:00.000Z' }),
      problem('lag', 'page'),
      problem('group-stopped', 'page', { since: '2025-10-24T11:00:00.000Z' }),
    ]
    expect(verdictOf({ value: status({ problems }), at: now }, now)).toEqual({
      level: 'bad',
      sentence: 'A group-stopped was seen.',
      detail: 'It means group-stopped. There are 2 other problems.',
    })
  })

  test('is no more than a warning where nobody has to be woken', () => {
    const problems = [problem('gap-open', 'ticket')]
    expect(verdictOf({ value: status({ problems }), at: now }, now)).toMatchObject({
      level: 'warn',
      detail: 'It means gap-open.',
    })
  })

  test('is not that all is well when a part did not answer', () => {
    expect(verdictOf({ value: status({ status: 'failing' }), at: now }, now).level).toBe('unknown')
  })

  test('is not known once nobody answers, and says how old the rest is', () => {
    const failure = { message: 'The admin server does not answer.', isUnauthorized: false }
    expect(verdictOf({ value: status(), at: now - 90_000, failure }, now)).toEqual({
      level: 'unknown',
      sentence: 'The admin server does not answer.',
      detail: 'What is shown is 1 min old.',
    })
    expect(verdictOf({ failure: { message: 'Forbidden', isUnauthorized: false } }, now).detail).toBe('Forbidden')
  })
})

describe('problems', () => {
  test('have an age, what to do and the page that shows more', () => {
    const problems = [problem('gap-open', 'ticket'), problem('something-new', 'ticket')]
    expect(problemsOf({ problems }, now)).toMatchObject([
      { message: 'A gap-open was seen', age: 'known for 2 min', command: 'millrace doctor', page: 'gaps' },
      { page: 'doctor' },
    ])
  })

  test('begin as sentences do, and names stay what they are', () => {
    const messages = ['no gap is told', 'firehose_group has acked nothing', '2 dead letters'].map(
      (message) => problemsOf({ problems: [problem('lag', 'page', { message })] }, now)[0]!.message,
    )
    expect(messages).toEqual(['No gap is told', 'firehose_group has acked nothing', '2 dead letters'])
  })

  test('are written up on the web or nowhere (M3)', () => {
    const runbooks = ['https://millrace.example/', 'javascript:alert(1)', 'http://x', 'data:text/html,x'].map(
      (runbook) => problemsOf({ problems: [problem('lag', 'page', { runbook })] }, now)[0]!.runbook,
    )
    expect(runbooks).toEqual(['https://millrace.example/', undefined, undefined, undefined])
  })
})
