import { describe, expect, test } from 'vitest'
import { forbidsQuotes, mentionsOf, postGateUri, readThreadGate, threadGateUri } from './gates.ts'

test('the gates of a post are beside it, and other records have none', () => {
  expect(threadGateUri('at://did:plc:a/app.bsky.feed.post/1')).toBe('at://did:plc:a/app.bsky.feed.threadgate/1')
  expect(postGateUri('at://did:plc:a/app.bsky.feed.post/1')).toBe('at://did:plc:a/app.bsky.feed.postgate/1')
  expect(threadGateUri('at://did:plc:a/app.bsky.graph.list/1')).toBeUndefined()
  expect(postGateUri('at://did:plc:a/app.bsky.graph.list/1')).toBeUndefined()
})

const rule = (name: string, more: object = {}) => ({ $type: `app.bsky.feed.threadgate#${name}`, ...more })
const closed = { mentioned: false, following: false, follower: false, lists: [], hiddenReplies: [], open: false }

describe('rules of a thread', () => {
  test.each([
    ['none said', {}, { ...closed, open: true }],
    ['nobody', { allow: [] }, closed],
    ['the mentioned', { allow: [rule('mentionRule')] }, { ...closed, mentioned: true }],
    ['the followed', { allow: [rule('followingRule')] }, { ...closed, following: true }],
    ['followers', { allow: [rule('followerRule')] }, { ...closed, follower: true }],
    [
      'lists',
      { allow: [rule('listRule', { list: 'at://l' }), rule('listRule', { list: 'at://m' })] },
      { ...closed, lists: ['at://l', 'at://m'] },
    ],
    ['rules that nobody knows', { allow: [rule('moonRule'), 'x', null] }, closed],
    ['hidden replies', { hiddenReplies: ['at://r', 1] }, { ...closed, open: true, hiddenReplies: ['at://r'] }],
  ])('%s', (_name, json, expected) => expect(readThreadGate(json)).toEqual(expected))
})

test('a post gate forbids quotes by one rule alone', () => {
  expect(forbidsQuotes({ embeddingRules: [{ $type: 'app.bsky.feed.postgate#disableRule' }] })).toBe(true)
  expect(forbidsQuotes({ embeddingRules: [{ $type: 'app.bsky.feed.postgate#otherRule' }, null] })).toBe(false)
  expect(forbidsQuotes({ embeddingRules: [] })).toBe(false)
  expect(forbidsQuotes({})).toBe(false)
})

test('mentions are those of all facets, in their order', () => {
  const feature = (did: unknown, $type = 'app.bsky.richtext.facet#mention') => ({ $type, did })
  expect(
    mentionsOf({
      facets: [
        { features: [feature('did:plc:b'), feature('did:plc:x', 'app.bsky.richtext.facet#link')] },
        { features: 'none' },
        null,
        { features: [feature(1), feature('did:plc:a')] },
      ],
    }),
  ).toEqual(['did:plc:b', 'did:plc:a'])
  expect(mentionsOf({})).toEqual([])
})
