import type { StreamEvent } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { createEvent } from '../testing/index.ts'
import type { HeldAccount } from './account-state.ts'
import { passOver } from './pass-over.ts'

const [alice, bob, carol] = ['did:plc:alice', 'did:plc:bob', 'did:plc:carol']
const host = 'relay.test'
const by = (did: string, seq: number): StreamEvent => createEvent({ did, host, seq, collection: 'test.c', record: {} })
const deactivated: HeldAccount = {
  hidden: 'deactivated',
  held: true,
  deleted: false,
  words: [{ host, active: false, status: 'deactivated', epoch: 0, seq: 10 }],
}

test('what an account did before it became inactive is applied, and what it does afterwards is not (I23)', () => {
  const events = [by(alice, 9), by(bob, 10), by(alice, 11)]
  expect(passOver(events, new Map([[alice, deactivated]]))).toEqual({ passedOver: new Set([2]), inDoubt: [alice] })
})

test('what is said of an account is no deed of it', () => {
  const said: StreamEvent[] = [
    { type: 'account', did: alice, seq: 11, time: '', active: true, host },
    { type: 'identity', did: alice, seq: 12, time: '', host },
  ]
  expect(passOver(said, new Map([[alice, deactivated]]))).toEqual({ passedOver: new Set(), inDoubt: [] })
})

test('one that is hidden and not held is applied, and asked about; each once, in order of their DIDs', () => {
  const hidden = { ...deactivated, held: false }
  const states = new Map([
    [carol, hidden],
    [alice, hidden],
    [bob, { ...hidden, hidden: null }],
  ])
  const events = [by(carol, 11), by(alice, 12), by(bob, 13), by(carol, 14)]
  expect(passOver(events, states)).toEqual({ passedOver: new Set(), inDoubt: [alice, carol] })
})
