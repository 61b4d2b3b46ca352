import type { GroupStatus, StreamStatus } from '@millrace/stream-protocol'
import { createLogSpy } from '@millrace/testing'
import { expect, test } from 'vitest'
import { ProgressWatch } from './progress-watch.ts'

const start = 1_000_000_000
const id = (secondsAfterStart: number): string => `${start + secondsAfterStart * 1_000}-0`

/** The verdicts on a group that is looked at once a minute. */
function verdicts(looks: readonly (Partial<GroupStatus> & { firstId?: string | null })[], logger = createLogSpy()) {
  const watch = new ProgressWatch({ store: { status: async () => [] }, streams: [], logger })
  return looks.map(({ firstId = id(0), ...fields }, minute) => {
    const group: GroupStatus = {
      name: 'g',
      pending: 0,
      undelivered: null,
      oldestPendingId: null,
      lastDeliveredId: '0-0',
      consumers: [],
      ...fields,
    }
    const status: StreamStatus = { stream: 's', length: 1, firstId, lastId: firstId && id(900), groups: [group] }
    return watch.judge(group, status, start + minute * 60_000).verdict
  })
}

const heard = [{ name: 'one', pending: 0, idleMs: 1_000 }]
const gone = [{ name: 'one', pending: 0, idleMs: 360_000 }]
const six = <T>(look: (minute: number) => T): T[] => Array.from({ length: 6 }, (_, minute) => look(minute))

test('a group that acks nothing for five minutes while entries wait is stalled, though its consumer asks (O6)', () => {
  expect(verdicts(six(() => ({ consumers: heard })))).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'stalled'])
})

test('one whose consumers are not heard of is stopped, and so is one that has none', () => {
  expect(verdicts(six(() => ({ consumers: gone }))).at(-1)).toBe('stopped')
  expect(verdicts(six(() => ({}))).at(-1)).toBe('stopped')
})

test('reading is no progress: a group that takes entries and acks none is stalled', () => {
  const looks = six((minute) => ({
    consumers: heard,
    pending: minute + 1,
    oldestPendingId: id(0),
    lastDeliveredId: id(minute + 1),
  }))
  expect(verdicts(looks).at(-1)).toBe('stalled')
})

test('one entry that waits for long is not a group that stands still', () => {
  const looks = six((minute) => ({
    consumers: heard,
    pending: 3,
    oldestPendingId: id(0),
    lastDeliveredId: id(minute + 1),
  }))
  expect(verdicts(looks)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'ok'])
})

test('a group is idle when nothing waits, and slow when it gets on far behind', () => {
  expect(verdicts([{ firstId: null }])).toEqual(['idle'])
  const looks = Array.from({ length: 12 }, (_, minute) => ({ firstId: id(minute) }))
  expect(verdicts(looks).slice(9)).toEqual(['ok', 'ok', 'slow'])
})

test('the log has one alarm when a group stands still, and a line when it gets on', () => {
  const logger = createLogSpy()
  expect(verdicts([...six(() => ({})), {}, { firstId: null }], logger).slice(-3)).toEqual([
    'stopped',
    'stopped',
    'idle',
  ])
  expect(logger.entries.map(({ level, fields }) => [level, fields['alarm']])).toEqual([
    ['error', 'group-stalled'],
    ['info', undefined],
  ])
})

test('no group is silent for less than nothing where the clock is set back', () => {
  const watch = new ProgressWatch({ store: { status: async () => [] }, streams: [] })
  const group: GroupStatus = {
    name: 'g',
    pending: 1,
    undelivered: null,
    oldestPendingId: id(0),
    lastDeliveredId: id(0),
    consumers: heard,
  }
  const stream: StreamStatus = { stream: 's', length: 1, firstId: id(0), lastId: id(0), groups: [group] }
  watch.judge(group, stream, start)
  expect(watch.judge(group, stream, start - 1_000)).toEqual({ verdict: 'ok', silentSeconds: 0 })
})
