import { expect, test } from 'vitest'
import { backfillEventCodec, type BackfillEvent } from './backfill-event.ts'
import { InvalidEventError } from './errors.ts'

const did = 'did:web:example.com'
const repo: BackfillEvent = { did, host: 'https://pds.example', rev: '3l4aaaaaaaa2a' }

test.for<BackfillEvent>([
  repo,
  { ...repo, active: true },
  { ...repo, active: false, status: 'takendown' },
  { ...repo, host: 'http://localhost:2583' },
])('a repo to fetch goes through a stream and comes back the same: %j', (event) => {
  expect(backfillEventCodec.field).toBe('repo')
  expect(backfillEventCodec.decode(backfillEventCodec.encode(event))).toEqual(event)
})

test('properties that we do not know stay as they are', () => {
  const event = { ...repo, run: 'a', head: 'bafy' }
  expect(backfillEventCodec.decode(JSON.stringify(event))).toEqual(event)
})

test.for([
  { change: { did: 'alice.example' }, reason: 'bad-did', named: undefined },
  { change: { host: 'pds.example' }, reason: 'bad-host', named: did },
  { change: { host: 'wss://pds.example' }, reason: 'bad-host', named: did },
  { change: { host: undefined }, reason: 'bad-host', named: did },
  { change: { rev: undefined }, reason: 'bad-rev', named: did },
  { change: { active: 'yes' }, reason: 'bad-active', named: did },
  { change: { status: 5 }, reason: 'bad-status', named: did },
])('$change is rejected as $reason', ({ change, reason, named }) => {
  const decode = () => backfillEventCodec.decode(JSON.stringify({ ...repo, ...change }))
  expect(decode).toThrow(InvalidEventError)
  expect(decode).toThrow(expect.objectContaining({ reason, did: named }))
})
