import { expect, test } from 'vitest'
import { distances } from './distances.ts'
import type { Probe } from './probe.ts'

const now = Date.parse('2026-10-24T12:00:00Z')
const event = (seq: number, secondsAgo: number, before = now) => ({
  seq,
  time: new Date(before - secondsAgo * 1_000).toISOString(),
})
const probe = (fields: Partial<Probe>): Probe => ({ askedAt: now, position: 'within', ...fields })

test('how far we are behind is told by the host, whatever its clock says', () => {
  const elsewhere = Date.parse('2024-01-01T00:00:00Z')
  const [oldest, next, head] = [event(5, 900, elsewhere), event(8, 100, elsewhere), event(9, 1, elsewhere)]
  expect(distances(probe({ oldest, next, head }))).toEqual({ behindSeconds: 99, timeToLossSeconds: 800 })
})

test('what a quiet host has for us is as old as it is', () => {
  expect(distances(probe({ oldest: event(5, 900), next: event(8, 100) }))).toEqual({
    behindSeconds: 100,
    timeToLossSeconds: 800,
  })
})

test('with nothing to read we are not behind, and a host that has its first event forgets nothing', () => {
  expect(distances(probe({ oldest: event(5, 900), head: event(9, 1) }))).toEqual({})
  expect(distances(probe({ oldest: event(1, 900), next: event(8, 100) }))).toEqual({ behindSeconds: 100 })
  expect(distances(probe({ position: 'outdated', oldest: event(5, 900), next: event(5, 900) }))).toEqual({
    behindSeconds: 900,
  })
})
