import type { CreateEvent, RecordJson } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import type { Row, RowDifference } from './compare-rows.ts'
import { knownDifferences } from './known-differences.ts'
import { WorkloadFacts } from './workload-facts.ts'

const did = 'did:plc:alice'
const like = (rkey: string) => `at://${did}/app.bsky.feed.like/${rkey}`
const repost = (rkey: string) => `at://${did}/app.bsky.feed.repost/${rkey}`
const profile = `at://${did}/app.bsky.actor.profile/self`

// Likes a, b, c and reposts a, b say the same, each in its collection. Like a is deleted; the profile came twice.
const facts = new WorkloadFacts([
  ...['a', 'b', 'c'].map((rkey) => put('app.bsky.feed.like', rkey, 'cid', { subject: 'post' })),
  put('app.bsky.feed.like', 'single', 'cid', { subject: 'other' }),
  ...['a', 'b'].map((rkey) => put('app.bsky.feed.repost', rkey, 'cid', { subject: 'post' })),
  put('app.bsky.actor.profile', 'self', 'old', {}),
  put('app.bsky.actor.profile', 'self', 'new', {}),
  { ...put('app.bsky.feed.like', 'a', '', {}), type: 'delete' },
])

test.each([
  {
    name: 'our newer profile',
    table: 'profile',
    ours: { uri: profile, cid: 'new' },
    reference: { uri: profile, cid: 'old' },
  },
  {
    name: 'a duplicate that took over',
    table: 'duplicate_record',
    key: like('b'),
    ours: null,
    reference: { duplicateOf: like('a') },
  },
  {
    name: 'a duplicate of the one that took over',
    table: 'duplicate_record',
    key: like('c'),
    ours: { duplicateOf: like('b') },
    reference: { duplicateOf: like('a') },
  },
  {
    name: 'the item of a second repost',
    table: 'feed_item',
    key: repost('b'),
    ours: null,
    reference: { uri: repost('b') },
  },
  { name: 'a notification of what is deleted', table: 'notification', ours: null, reference: { recordUri: like('a') } },
  { name: 'a notification of what took over', table: 'notification', ours: { recordUri: like('b') }, reference: null },
  {
    name: 'counts that came back to zero',
    table: 'post_agg',
    ours: null,
    reference: { uri: 'post', likeCount: 0, replyCount: 0 },
  },
])('$name is explained', (difference) => {
  expect(isExplained(difference)).toBe(true)
})

test.each([
  {
    name: 'an older profile of ours',
    table: 'profile',
    ours: { uri: profile, cid: 'old' },
    reference: { uri: profile, cid: 'new' },
  },
  { name: 'a missing profile', table: 'profile', ours: null, reference: { uri: profile, cid: 'old' } },
  {
    name: 'a missing duplicate',
    table: 'duplicate_record',
    key: like('c'),
    ours: null,
    reference: { duplicateOf: like('b') },
  },
  {
    name: 'the missing item of a first repost',
    table: 'feed_item',
    key: repost('a'),
    ours: null,
    reference: { uri: repost('a') },
  },
  { name: 'a missing notification', table: 'notification', ours: null, reference: { recordUri: like('b') } },
  { name: 'a notification of a duplicate', table: 'notification', ours: { recordUri: like('c') }, reference: null },
  { name: 'a notification too many', table: 'notification', ours: { recordUri: like('single') }, reference: null },
  { name: 'a like too many', table: 'like', key: like('a'), ours: { uri: like('a') }, reference: null },
  { name: 'a missing count', table: 'post_agg', ours: null, reference: { uri: 'post', likeCount: 1, replyCount: 0 } },
  { name: 'another count', table: 'post_agg', ours: { likeCount: 1 }, reference: { likeCount: 0 } },
])('$name is not explained', (difference) => {
  expect(isExplained(difference)).toBe(false)
})

function isExplained({
  table,
  key = '',
  ours,
  reference,
}: {
  table: string
  key?: string
  ours: Row | null
  reference: Row | null
}): boolean {
  const difference: RowDifference = { table, key, ours, reference, columns: [] }
  return knownDifferences.some(({ explains }) => explains(difference, facts))
}

function put(collection: string, rkey: string, cid: string, record: RecordJson): CreateEvent {
  return { type: 'create', seq: 1, time: '', did, commit: '', rev: '', collection, rkey, cid, record }
}
