import { expect, test } from 'vitest'
import { newestOfEach } from './newest-of-each.ts'

const [alice, bob] = ['did:plc:aaaaaaaaaaaaaaaaaaaaaaaa', 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb']

test('of each account its newest revision is left, whatever the order, and nothing of what is no DID', () => {
  const revs = [
    { did: alice, rev: '3k2' },
    { did: bob, rev: '3k1' },
    { did: alice, rev: '3k3' },
    { did: alice, rev: '3k1' },
    { did: 'no-did', rev: '3k9' },
  ]
  expect(newestOfEach(revs)).toEqual([
    { did: alice, rev: '3k3' },
    { did: bob, rev: '3k1' },
  ])
})
