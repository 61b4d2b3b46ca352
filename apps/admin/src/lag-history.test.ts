import type { DoctorFacts } from '@millrace/diagnosis'
import type { StreamStatus } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { LagHistory } from './lag-history.ts'

const group = { name: 'g', pending: 0, undelivered: 1, oldestPendingId: null, lastDeliveredId: '0-0', consumers: [] }
/** One entry has waited since 1,000 s. */
const waiting: StreamStatus = { stream: 's', length: 1, firstId: '1000000-0', lastId: '1000000-0', groups: [group] }

const look = (streams: StreamStatus[], now: number): Pick<DoctorFacts, 'now' | 'store' | 'upstreams'> => ({
  now,
  store: {
    ok: true,
    value: { description: { version: '7', now }, streams, judged: [], ghosts: [], epoch: null, toldTally: 0 },
  },
  upstreams: [],
})

test('remembers how long the oldest entry has waited, by group', () => {
  const kept = new LagHistory()
  kept.take(look([waiting], 1_003_000))
  kept.take(look([waiting], 1_018_000))
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

test('forgets what is too old', () => {
  const kept = new LagHistory({ keepMs: 60_000 })
  for (const at of [1_000_000, 1_050_000, 1_090_000]) kept.take(look([waiting], at))
  expect(kept.since(0).groups[0]?.points.map(({ behindSeconds }) => behindSeconds)).toEqual([50, 90])
})

test('of many looks it tells few, and no peak is lost', () => {
  const kept = new LagHistory()
  for (let index = 0; index < 1_000; index++) {
    const status = index === 500 ? waiting : { ...waiting, length: 0, firstId: null, lastId: null }
    kept.take(look([status], 1_100_000 + index * 15_000))
  }
  const points = kept.since(0).groups[0]!.points
  expect(points.length).toBeLessThan(400)
  expect(Math.max(...points.map(({ behindSeconds }) => behindSeconds))).toBe(100 + 500 * 15)
})

test('a store that is away has no history', () => {
  const kept = new LagHistory()
  kept.take({ now: 0, store: { ok: false, why: 'it is away' }, upstreams: [] })
  expect(kept.since(0)).toEqual({ groups: [], hosts: [] })
})

test('how far back a host could replay is kept once for each time that it was asked', () => {
  const kept = new LagHistory()
  const oldest = { seq: 7, time: new Date(1_000_000).toISOString() }
  const upstream = (askedAt: number) => ({
    host: 'https://relay.test',
    stream: 's',
    cursor: null,
    probe: { ok: true as const, value: { askedAt, position: 'none' as const, oldest } },
  })
  for (const [now, askedAt] of [
    [1_060_000, 1_060_000],
    [1_075_000, 1_060_000],
    [1_360_000, 1_360_000],
  ] as const)
    kept.take({ ...look([], now), upstreams: [upstream(askedAt)] })
  expect(kept.since(0).hosts).toEqual([
    {
      stream: 's',
      host: 'relay.test',
      points: [
        { at: new Date(1_060_000).toISOString(), windowSeconds: 60 },
        { at: new Date(1_360_000).toISOString(), windowSeconds: 360 },
      ],
    },
  ])
})
