import { expect, test } from 'vitest'
import { notificationRows } from './notification-row.ts'

const context = { uri: 'at://did:plc:a/test.c/1', cid: 'c1', did: 'did:plc:a' }
const to = (did: string, reason = 'like') => ({ did, reason, reasonSubject: null, sortAt: '2026' })

test('a recipient hears of a record once for each reason (X14)', () => {
  const rows = notificationRows(context, [to('did:plc:b'), to('did:plc:b', 'quote'), to('did:plc:b'), to('did:plc:c')])
  expect(rows.map(({ did, reason }) => [did, reason])).toEqual([
    ['did:plc:b', 'like'],
    ['did:plc:b', 'quote'],
    ['did:plc:c', 'like'],
  ])
})

test('a row names the record, its version and its author', () => {
  expect(notificationRows(context, [to('did:plc:b')])).toEqual([
    {
      did: 'did:plc:b',
      recordUri: context.uri,
      recordCid: 'c1',
      author: 'did:plc:a',
      reason: 'like',
      reasonSubject: null,
      sortAt: '2026',
    },
  ])
})

test('what it is about is made storable (J5)', () => {
  const rows = notificationRows(context, [{ ...to('did:plc:b'), reasonSubject: 'a\u0000\uD83E' }])
  expect(rows[0]?.reasonSubject).toBe('a\uFFFD\uFFFD')
})

test('nobody is told of what they did themselves, and only accounts are told', () => {
  expect(notificationRows(context, [to('did:plc:a'), to('a.test'), to('')])).toEqual([])
})
