import type { StreamStatus, StreamStore } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { LagHistory } from './lag-history.ts'

const group = { name: 'g', pending: 0, undelivered: 1, oldestPendingId: null, lastDeliveredId: '0-0', consumers: [] }
/** One entry has waited since 1,000 s. */
const waiting: StreamStatus = { stream: 's', length: 1, firstId: '1000000-0', lastId: '1000000-0', groups: [group] }

function history(statuses: StreamStatus[], keepMs?: number) {
  const store = { status: async () => statuses, location: '', kind: 'redis' } as unknown as StreamStore
  return new LagHistory({
    sources: { store, declared: [{ stream: 's', group: 'g', highWaterMark: 1, role: 'indexer' }], labelStream: 'l' },
    ...(keepMs !== undefined && { keepMs }),
  })
}

test('remembers how long the oldest entry has waited, by group', async () => {
  const kept = history([waiting])
  await kept.lookAtGroups(1_003_000)
  await kept.lookAtGroups(1_018_000)
  expect(kept.since(0)).toEqual({
    groups: [
      {
        stream: 's',
        group: 'g',
        points: [
          { at: new Date(1_003_000).toISOString(), behindSeconds: 3 },
          { at: new Date(1_018_000).toISOString(), behindSeconds: 18 },
        ],
      },
    ],
    hosts: [],
  })
  expect(kept.since(1_010_000).groups[0]?.points).toHaveLength(1)
})

test('forgets what is too old', async () => {
  const kept = history([waiting], 60_000)
  for (const at of [1_000_000, 1_050_000, 1_090_000]) await kept.lookAtGroups(at)
  expect(kept.since(0).groups[0]?.points.map(({ behindSeconds }) => behindSeconds)).toEqual([50, 90])
})

test('of many looks it tells few, and no peak is lost', async () => {
  const statuses = [waiting]
  const kept = history(statuses)
  for (let look = 0; look < 1_000; look++) {
    statuses[0] = look === 500 ? waiting : { ...waiting, length: 0, firstId: null, lastId: null }
    await kept.lookAtGroups(1_100_000 + look * 15_000)
  }
  const points = kept.since(0).groups[0]!.points
  expect(points.length).toBeLessThan(400)
  expect(Math.max(...points.map(({ behindSeconds }) => behindSeconds))).toBe(100 + 500 * 15)
})

test('a store that is away has no history', async () => {
  const kept = new LagHistory({
    sources: { store: { kind: 'redis', location: 'x', why: 'it is away' }, declared: [], labelStream: 'l' },
  })
  await kept.lookAtGroups(0)
  expect(kept.since(0)).toEqual({ groups: [], hosts: [] })
})
