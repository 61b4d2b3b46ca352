import type { StoredAlarm } from '@millrace/database'
import type { WatchedProblem } from '@millrace/diagnosis'
import { expect, test } from 'vitest'
import { dueNotices, withTold } from './due-notices.ts'
import { mergeAlarms, stepAlarms } from './step-alarms.ts'

const MINUTE = 60_000
const start = Date.parse('2026-10-24T12:00:00Z')

const problem = (fields: Partial<WatchedProblem> = {}): WatchedProblem => ({
  code: 'host-unread',
  severity: 'page',
  subject: 'relay.test s',
  check: 'ingesters',
  message: 'nobody reads it',
  meaning: 'It is not read.',
  command: 'millrace cursor',
  since: start,
  ...fields,
})

/** What one receiver is told, minute by minute, when the problem is there in the minutes that are marked. */
function told(minutes: string, { repeatMs = 60 * MINUTE, quietMs = 5 * MINUTE } = {}): string[] {
  let alarms: StoredAlarm[] = []
  let since = start
  return minutes.split('').map((mark, minute) => {
    const now = start + minute * MINUTE
    if (mark === '#' && minutes[minute - 1] !== '#') since = now
    alarms = stepAlarms(alarms, mark === '#' ? [problem({ since })] : [], now, quietMs)
    const notices = dueNotices({ alarms, silences: [], receiver: 'r', now, repeatMs })
    alarms = withTold(alarms, { receiver: 'r', notices, now })
    return notices.map(({ event }) => event).join()
  })
}

test('a problem is told once it has lasted for as long as its kind has to, and its end once it was gone for a while', () => {
  expect(told('####......')).toEqual(['', '', 'open', '', '', '', '', '', 'resolve', ''])
})

test('what is gone before it counts is never told', () => {
  expect(told('##........').join('')).toBe('')
})

test('what comes and goes is one alarm, not many', () => {
  const events = told(`${'#.'.repeat(25)}......`)
  expect(events.filter((event) => event !== '')).toEqual(['open', 'resolve'])
})

test('what lasts is told again after the time that was set, and what comes again later is new', () => {
  const events = told(`${'#'.repeat(13)}......###......`, { repeatMs: 5 * MINUTE })
  expect(events.flatMap((event, minute) => (event === '' ? [] : [`${minute} ${event}`]))).toEqual([
    '2 open',
    '7 repeat',
    '12 repeat',
    '17 resolve',
    '21 open',
    '26 resolve',
  ])
})

test('advice is no alarm, and one problem does not end another of its kind', () => {
  const other = problem({ subject: 'other.test s' })
  const advice = problem({ code: 'store-unlimited', severity: 'advice' })
  const first = stepAlarms([], [problem(), other, advice], start)
  const later = stepAlarms(first, [other], start + 10 * MINUTE)
  expect(first).toHaveLength(2)
  expect(later).toMatchObject([{ subject: 'other.test s', openedAt: start + 10 * MINUTE }])
})

const open: StoredAlarm = {
  code: 'host-unread',
  subject: 'relay.test s',
  severity: 'page',
  message: 'nobody reads it',
  meaning: 'It is not read.',
  command: 'millrace cursor',
  since: start,
  seenAt: start,
  openedAt: start,
  endedAt: null,
  told: {},
}
const due = (alarm: StoredAlarm, silences: { code: string; subject: string | null; expiresAt: Date }[] = []) =>
  dueNotices({ alarms: [alarm], silences, receiver: 'r', now: start + MINUTE, repeatMs: 60 * MINUTE }).map(
    ({ event }) => event,
  )

test('a silence holds for its kind or its subject until it ends, and what was not told of has no end', () => {
  const later = new Date(start + 10 * MINUTE)
  expect(due(open)).toEqual(['open'])
  expect(due(open, [{ code: 'host-unread', subject: null, expiresAt: later }])).toEqual([])
  expect(due(open, [{ code: 'host-unread', subject: 'relay.test s', expiresAt: later }])).toEqual([])
  expect(due(open, [{ code: 'host-unread', subject: 'other.test s', expiresAt: later }])).toEqual(['open'])
  expect(due(open, [{ code: 'lag', subject: null, expiresAt: later }])).toEqual(['open'])
  expect(due(open, [{ code: 'host-unread', subject: null, expiresAt: new Date(start) }])).toEqual(['open'])
  expect(due({ ...open, endedAt: start })).toEqual([])
  expect(due({ ...open, endedAt: start, told: { r: start } })).toEqual(['resolve'])
  expect(due({ ...open, endedAt: start, told: { other: start } })).toEqual([])
})

test('what was kept and what is known make one alarm, told to all who were told by either', () => {
  const stored = { ...open, told: { one: start } }
  const known = { ...open, since: start + MINUTE, openedAt: null, message: 'newer', told: { two: start } }
  const only = { ...open, code: 'lag' }
  expect(mergeAlarms([stored, only], [known])).toEqual([
    { ...open, message: 'newer', told: { one: start, two: start } },
    only,
  ])
  const ended = { ...stored, endedAt: start }
  expect(mergeAlarms([ended], [known])).toEqual([{ ...known, told: { one: start, two: start } }])
})
