import { expect, test } from 'vitest'
import { readSubject, subjectOf } from './subject.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const post = 'app.bsky.feed.post/3k2a'

test.each([
  [did, { kind: 'did', did }],
  [`at://${did}`, { kind: 'did', did }],
  [`at://${did}/${post}`, { kind: 'did', did, path: post }],
  ['Alice.Test', { kind: 'handle', handle: 'alice.test' }],
  ['@alice.test', { kind: 'handle', handle: 'alice.test' }],
  [`at://alice.test/${post}`, { kind: 'handle', handle: 'alice.test', path: post }],
  ['https://bsky.app/profile/alice.test', { kind: 'handle', handle: 'alice.test' }],
  ['https://bsky.app/profile/alice.test/post/3k2a', { kind: 'handle', handle: 'alice.test', path: post }],
  [`https://bsky.app/profile/${did}/post/3k2a?ref=1`, { kind: 'did', did, path: post }],
])('%s', (text, expected) => {
  expect(readSubject(text)).toEqual(expected)
})

test.each([
  '',
  'alice',
  'did:',
  'at://',
  `at://${did}/app.bsky.feed.post`,
  `${did}/a/b/c`,
  `${did}/a/b c`,
  'x'.repeat(9_000),
])('is no subject: %s', (text) => {
  expect(readSubject(text)).toBeUndefined()
})

test('the record of a handle is named by its account', () => {
  expect(subjectOf(readSubject(`at://alice.test/${post}`)!, did)).toEqual({
    did,
    handle: 'alice.test',
    record: { uri: `at://${did}/${post}`, collection: 'app.bsky.feed.post', rkey: '3k2a' },
  })
})
