import type { GetStatusOutput } from '@millrace/admin-api'
import { describe, expect, test } from 'vitest'
import { placeFlow, widthOf } from './flow-layout.ts'
import { flowOf, ratesOf } from './flow.ts'

const group = (name: string, verdict = 'ok', silentSeconds = 0) => ({
  name,
  verdict,
  silentSeconds,
  pending: 0,
  lagSeconds: 0,
  lastDeliveredId: '0-0',
  consumers: [],
})
const stream = (name: string, groups: ReturnType<typeof group>[], counts = { length: 0, appended: 0 }) => ({
  name,
  ...counts,
  lagSeconds: 0,
  groups,
})

const status: GetStatusOutput = {
  status: 'ok',
  checkedAt: '2025-10-24T12:00:10.000Z',
  problems: [],
  store: { kind: 'redis', location: 'redis://x' },
  streams: [
    stream('firehose_live', [group('firehose_group', 'stalled', 41)], { length: 70, appended: 300 }),
    stream('firehose_backfill', [group('firehose_group')]),
    stream('repo_backfill', [group('repo_backfill_group', 'idle')]),
    stream('label_live', [group('label_group', 'slow')]),
  ],
  cursors: [
    { stream: 'firehose_live', host: 'https://relay.example', done: false },
    { stream: 'repo_backfill', host: 'https://relay.example', done: true },
    { stream: 'label_live', host: 'https://labeler.example', done: false },
  ],
}

describe('the flow', () => {
  const flow = flowOf(status)

  test('goes from hosts by streams and groups to the rows', () => {
    expect(flow.edges.map(({ from, to }) => `${from} > ${to}`)).toEqual([
      'host https://relay.example > stream firehose_live',
      'stream firehose_live > group firehose_group',
      'stream firehose_backfill > group firehose_group',
      'host https://relay.example > stream repo_backfill',
      'stream repo_backfill > group repo_backfill_group',
      'host https://labeler.example > stream label_live',
      'stream label_live > group label_group',
      'group firehose_group > database Postgres',
      'group repo_backfill_group > stream firehose_backfill',
      'group label_group > database Postgres',
    ])
  })

  test('shows what stands still, and since when', () => {
    const levels = Object.fromEntries(flow.nodes.map(({ title, level }) => [title, level]))
    expect(levels).toMatchObject({
      firehose_live: 'bad',
      firehose_group: 'bad',
      label_group: 'warn',
      repo_backfill: 'ok',
    })
    expect(flow.nodes.find(({ title }) => title === 'firehose_group')?.detail).toBe('stalled 41 s')
  })

  test('shows what somebody has paused, and does not call it wrong (M6)', () => {
    const paused = flowOf({ ...status, streams: [stream('firehose_live', [group('firehose_group', 'paused')])] })
    expect(paused.edges.find(({ to }) => to === 'group firehose_group')).toMatchObject({
      isPaused: true,
      level: 'unknown',
    })
    expect(paused.nodes.find(({ title }) => title === 'firehose_group')?.detail).toBe('paused')
  })

  test('says of no rate what it is as long as nobody has counted', () => {
    expect(flow.edges.every(({ rate }) => rate === undefined)).toBe(true)
    const uncounted = { ...status, streams: status.streams.map((stream) => ({ ...stream, appended: undefined })) }
    expect(ratesOf(uncounted, uncounted).size).toBe(0)
  })

  test('takes rates from two looks: what came, and what has left', () => {
    const earlier = {
      ...status,
      checkedAt: '2025-10-24T12:00:00.000Z',
      streams: [stream('firehose_live', [], { length: 20, appended: 100 })],
    }
    expect(ratesOf(earlier, status).get('firehose_live')).toEqual({ in: 20, out: 15 })
    // It was made anew.
    expect(
      ratesOf({ ...earlier, streams: [stream('firehose_live', [], { length: 0, appended: 999 })] }, status).size,
    ).toBe(0)
  })
})

describe('its picture', () => {
  const many: GetStatusOutput = {
    ...status,
    streams: status.streams.map((each) =>
      each.name === 'label_live' ? stream(each.name, [group('a'), group('b'), group('c')]) : each,
    ),
    cursors: ['a', 'b', 'c', 'd'].map((host) => ({ stream: 'label_live', host, done: false })),
  }

  test.each([
    ['wide', { width: 1_000, isTall: false }],
    ['on a phone', { width: 340, isTall: true }],
  ])('%s: nothing lies on something else, or outside', (_, options) => {
    const { nodes, width, height } = placeFlow(flowOf(many), options)
    for (const [index, { box: a }] of nodes.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(0)
      expect(a.x + a.width).toBeLessThanOrEqual(width)
      expect(a.y + a.height).toBeLessThanOrEqual(height)
      for (const { box: b } of nodes.slice(index + 1)) {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
        expect(Math.min(across, down)).toBeLessThanOrEqual(0)
      }
    }
  })

  test('ways are as thick as what goes along them, by its order of magnitude', () => {
    expect(widthOf(undefined)).toBe(widthOf(0))
    expect(widthOf(10)).toBeGreaterThan(widthOf(1))
    expect(widthOf(1e9)).toBe(widthOf(1e6))
  })
})
