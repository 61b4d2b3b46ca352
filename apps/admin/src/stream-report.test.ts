import type { GroupStatus, StreamStatus } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { streamReport } from './stream-report.ts'

const now = 1_000_000_000
const at = (secondsAgo: number): string => `${now - secondsAgo * 1_000}-0`

const group = (fields: Partial<GroupStatus>): GroupStatus => ({
  name: 'g',
  pending: 0,
  undelivered: 0,
  oldestPendingId: null,
  lastDeliveredId: '0-0',
  consumers: [{ name: 'one', pending: 0, idleMs: 100 }],
  ...fields,
})
const stream = (fields: Partial<StreamStatus>): StreamStatus => ({
  stream: 's',
  length: 2,
  firstId: at(60),
  lastId: at(5),
  groups: [],
  ...fields,
})

describe('streamReport', () => {
  test.each([
    { name: 'an empty stream is not behind', status: stream({ length: 0, firstId: null, lastId: null }), lag: 0 },
    { name: 'without a group nobody has read the first entry', status: stream({}), lag: 60 },
    {
      name: 'a group that has read nothing waits at the first entry',
      status: stream({ groups: [group({})] }),
      lag: 60,
    },
    {
      name: 'a group that was given all and acked all is not behind, whatever others have left in the stream',
      status: stream({ groups: [group({ lastDeliveredId: at(5) })] }),
      lag: 0,
    },
    {
      name: 'an entry that is not acked counts from its own time',
      status: stream({ groups: [group({ lastDeliveredId: at(5), pending: 1, oldestPendingId: at(40) })] }),
      lag: 40,
    },
    {
      name: 'an undelivered entry counts from the last delivered one, which may be gone',
      status: stream({ firstId: at(60), groups: [group({ lastDeliveredId: at(20) })] }),
      lag: 20,
    },
    {
      name: 'the group that is furthest behind counts',
      status: stream({ groups: [group({ lastDeliveredId: at(5) }), group({ name: 'h', lastDeliveredId: at(30) })] }),
      lag: 30,
    },
  ])('$name', ({ status, lag }) => {
    expect(streamReport(status, now).lagSeconds).toBe(lag)
  })

  test('what the store cannot tell is absent', () => {
    const report = streamReport(stream({ groups: [group({ undelivered: null })] }), now)
    expect(report.groups[0]).not.toHaveProperty('undelivered')
    expect(report.groups[0]).not.toHaveProperty('oldestPendingAgeSeconds')
  })
})
