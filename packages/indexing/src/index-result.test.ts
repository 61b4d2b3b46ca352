import { expect, test } from 'vitest'
import { indexResult } from './index-result.ts'
import type { Outcome } from './record-op.ts'
import { createEvent } from './testing/index.ts'

const [alice, bob] = ['did:plc:alice', 'did:plc:bob']
const event = (did: string) => createEvent({ did, host: 'relay.test', rev: '3k1', collection: 'test.c', record: {} })
const session = { statements: 7, roundTrips: 2 }
const resultOf = (outcomes: Outcome[], invalid: Record<number, string> = {}) =>
  indexResult(
    outcomes.map(() => event(alice)),
    {
      decided: new Map(outcomes.entries()),
      invalid: new Map(Object.entries(invalid).map(([index, error]) => [Number(index), error])),
      dirty: [],
      session,
    },
  )

test('each event has its outcome, in order, and what it took is told (G1)', () => {
  const outcomes: Outcome[] = ['applied', 'duplicate', 'stale', 'skipped']
  expect(resultOf(outcomes)).toEqual({ outcomes, rejected: [], dirty: [], ...session })
})

test('an event that nothing became of is no success (G1)', () => {
  const decided = new Map<number, Outcome>([[0, 'applied']])
  expect(() => indexResult([event(alice), event(bob)], { decided, invalid: new Map(), dirty: [], session })).toThrow(
    'event 1 of did:plc:bob was not decided',
  )
})

test('what is no record is rejected, but where it would not have counted', () => {
  const { rejected } = resultOf(['invalid', 'stale', 'skipped', 'duplicate'], { 0: 'a', 1: 'b', 2: 'c', 3: 'd' })
  expect(rejected).toEqual([
    { index: 0, reason: 'invalid-record', error: 'a' },
    { index: 3, reason: 'invalid-record', error: 'd' },
  ])
})

test('whoever says two things at one revision is to be looked at, after those that were marked with the rows', () => {
  const before = { did: bob, reason: 'reactivated' }
  const decided = new Map<number, Outcome>([[0, 'equivocation']])
  const { dirty } = indexResult([event(alice)], { decided, invalid: new Map(), dirty: [before], session })
  expect(dirty).toEqual([before, { did: alice, reason: 'equivocation', host: 'relay.test', rev: '3k1' }])
})
