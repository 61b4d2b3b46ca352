import { createEvent, deleteEvent, describePlugin, updateEvent } from '@millrace/indexing/testing'
import { recordUri } from '@millrace/stream-protocol'
import { inject } from 'vitest'
import '@millrace/testing'
import { alice, bob, carol, createdAt, post, record, refTo } from '../testing/records.ts'
import { feedLike } from './feed-like.ts'
import { feedPost } from './feed-post.ts'
import { feedPostgate } from './feed-postgate.ts'
import { feedRepost } from './feed-repost.ts'
import { feedThreadgate } from './feed-threadgate.ts'

const database = (): string => inject('postgresUrl')

const liked = createEvent({ did: bob, record: post() })
const other = createEvent({ did: carol, record: post({ text: 'another one' }) })
const carolsRepost = createEvent({ did: carol, record: record('app.bsky.feed.repost', { subject: refTo(liked) }) })
const like = createEvent({ did: alice, record: record('app.bsky.feed.like', { subject: refTo(liked) }) })

describePlugin(feedLike, {
  database,
  plugins: [feedPost],
  cases: {
    'a like is counted and told to the author of its subject': {
      events: [liked, other, like],
      rows: {
        like: [{ uri: recordUri(like), creator: alice, subject: recordUri(liked), subjectCid: liked.cid, via: null }],
        post_agg: [{ uri: recordUri(liked), likeCount: 1, repostCount: 0 }],
        notification: [{ did: bob, author: alice, reason: 'like', reasonSubject: recordUri(liked), sortAt: createdAt }],
      },
      update: {
        record: record('app.bsky.feed.like', { subject: refTo(other) }),
        rows: {
          like: [{ uri: recordUri(like), subject: recordUri(other) }],
          notification: [{ did: carol, reason: 'like', reasonSubject: recordUri(other) }],
        },
      },
    },
    'a like counts before its subject is there, and after it is gone (A4, X13)': {
      events: [like, liked, deleteEvent(liked)],
      rows: { like: [{ subject: recordUri(liked) }], post_agg: [{ uri: recordUri(liked), likeCount: 1 }], post: [] },
    },
    'who reposted what one likes hears of it as well': {
      events: [
        createEvent({
          did: alice,
          record: record('app.bsky.feed.like', { subject: refTo(liked), via: refTo(carolsRepost) }),
        }),
      ],
      rows: {
        like: [{ via: recordUri(carolsRepost), viaCid: carolsRepost.cid }],
        notification: [
          { did: bob, reason: 'like', reasonSubject: recordUri(liked) },
          { did: carol, reason: 'like-via-repost', reasonSubject: recordUri(carolsRepost) },
        ],
      },
      update: {
        record: record('app.bsky.feed.like', { subject: refTo(liked) }),
        rows: { like: [{ via: null, viaCid: null }], notification: [{ did: bob, reason: 'like' }] },
      },
    },
    'a like of last week is no news (X14)': {
      events: [
        createEvent({
          did: alice,
          record: record('app.bsky.feed.like', { subject: refTo(liked), createdAt: '2026-01-08T10:00:00Z' }),
        }),
      ],
      rows: { like: [{ creator: alice }], post_agg: [{ likeCount: 1 }], notification: [] },
    },
    'liking what is one’s own, or by a handle, is told to nobody': {
      events: [
        createEvent({ did: bob, record: record('app.bsky.feed.like', { subject: refTo(liked) }) }),
        createEvent({
          did: bob,
          record: record('app.bsky.feed.like', {
            subject: { uri: 'at://carol.test/app.bsky.feed.post/3kabcdefghijk', cid: liked.cid },
          }),
        }),
      ],
      rows: { like: [{ creator: bob }, { creator: bob }], notification: [] },
    },
    'liking twice is one like, and unliking one of them keeps it (X7, A3)': {
      events: [
        like,
        createEvent({ did: alice, record: record('app.bsky.feed.like', { subject: refTo(liked), again: true }) }),
        deleteEvent(like),
      ],
      rows: {
        like: [{ subject: recordUri(liked) }],
        post_agg: [{ uri: recordUri(liked), likeCount: 1 }],
        duplicate_record: [],
        notification: [{ did: bob, reason: 'like' }],
      },
    },
    'anything can be liked': {
      events: [
        createEvent({
          did: alice,
          record: record('app.bsky.feed.like', {
            subject: { uri: `at://${bob}/app.bsky.feed.generator/cats`, cid: liked.cid },
          }),
        }),
      ],
      rows: { post_agg: [{ uri: `at://${bob}/app.bsky.feed.generator/cats`, likeCount: 1 }] },
    },
  },
})

const repost = createEvent({
  did: alice,
  record: record('app.bsky.feed.repost', { subject: refTo(liked), via: refTo(carolsRepost) }),
})

describePlugin(feedRepost, {
  database,
  cases: {
    'a repost is in the feed of its author, counted, and told to both who made it possible': {
      events: [repost],
      rows: {
        repost: [{ uri: recordUri(repost), subject: recordUri(liked), via: recordUri(carolsRepost) }],
        feed_item: [
          {
            uri: recordUri(repost),
            cid: repost.cid,
            type: 'repost',
            postUri: recordUri(liked),
            originatorDid: alice,
            sortAt: createdAt,
          },
        ],
        post_agg: [{ uri: recordUri(liked), repostCount: 1, likeCount: 0 }],
        notification: [
          { did: bob, reason: 'repost', reasonSubject: recordUri(liked) },
          { did: carol, reason: 'repost-via-repost', reasonSubject: recordUri(carolsRepost) },
        ],
      },
      update: {
        record: record('app.bsky.feed.repost', { subject: refTo(other) }),
        rows: {
          repost: [{ subject: recordUri(other), via: null }],
          feed_item: [{ uri: recordUri(repost), postUri: recordUri(other) }],
          notification: [{ did: carol, reason: 'repost' }],
        },
      },
    },
    'reposting what is one’s own is told to nobody': {
      events: [createEvent({ did: bob, record: record('app.bsky.feed.repost', { subject: refTo(liked) }) })],
      rows: { repost: [{ creator: bob }], feed_item: [{ originatorDid: bob }], notification: [] },
    },
    'a repost of what it names by a handle is in no feed: readers fail on it (J11)': {
      events: [
        createEvent({
          did: alice,
          record: record('app.bsky.feed.repost', {
            subject: { uri: 'at://carol.test/app.bsky.feed.post/3kabcdefghijk', cid: liked.cid },
          }),
        }),
      ],
      rows: { repost: [{ creator: alice }], feed_item: [] },
    },
    'reposting twice is one item in the feed (X7)': {
      events: [
        repost,
        createEvent({ did: alice, record: record('app.bsky.feed.repost', { subject: refTo(liked), again: true }) }),
      ],
      rows: {
        feed_item: [{ uri: recordUri(repost) }],
        post_agg: [{ repostCount: 1 }],
        duplicate_record: [{ duplicateOf: recordUri(repost) }],
      },
    },
  },
})

const gate = createEvent({
  did: bob,
  rkey: liked.rkey,
  record: record('app.bsky.feed.threadgate', { post: recordUri(liked), allow: [] }),
})

describePlugin(feedThreadgate, {
  database,
  plugins: [feedPost],
  cases: {
    'a gate is one row, and its post says that it has one, whichever comes first (X12)': {
      events: [liked, gate],
      rows: {
        thread_gate: [{ uri: recordUri(gate), creator: bob, postUri: recordUri(liked) }],
        post: [{ uri: recordUri(liked), hasThreadGate: true, hasPostGate: null }],
      },
      update: {
        record: record('app.bsky.feed.threadgate', { post: recordUri(liked) }),
        rows: { thread_gate: [{ postUri: recordUri(liked) }], post: [{ hasThreadGate: true }] },
      },
    },
    'a post whose gate is gone has none': {
      events: [liked, gate, deleteEvent(gate)],
      rows: { thread_gate: [], post: [{ hasThreadGate: null }] },
    },
    'a gate that becomes one for the post of somebody else is none any more (X9)': {
      events: [liked, gate, updateEvent(gate, { ...gate.record, post: recordUri(other) })],
      rows: { thread_gate: [], record: [{ uri: recordUri(liked) }], post: [{ hasThreadGate: null }] },
    },
    'a gate with a list that it names by a handle is no record: readers fail on its post (J11)': {
      events: [
        createEvent({
          did: bob,
          rkey: liked.rkey,
          record: record('app.bsky.feed.threadgate', {
            post: recordUri(liked),
            allow: [
              { $type: 'app.bsky.feed.threadgate#listRule', list: 'at://bob.test/app.bsky.graph.list/3kabcdefghijk' },
            ],
          }),
        }),
      ],
      rows: { thread_gate: [], record: [] },
    },
    'a gate for the post of somebody else, or under another key, is no record': {
      events: [
        createEvent({
          did: alice,
          rkey: liked.rkey,
          record: record('app.bsky.feed.threadgate', { post: recordUri(liked), allow: [] }),
        }),
        createEvent({
          did: bob,
          rkey: 'another',
          record: record('app.bsky.feed.threadgate', { post: recordUri(liked), allow: [] }),
        }),
      ],
      rows: { thread_gate: [], record: [] },
    },
  },
})

const noQuotes = { embeddingRules: [{ $type: 'app.bsky.feed.postgate#disableRule' }] }
const postgate = createEvent({
  did: bob,
  rkey: liked.rkey,
  record: record('app.bsky.feed.postgate', { post: recordUri(liked), ...noQuotes }),
})

describePlugin(feedPostgate, {
  database,
  plugins: [feedPost],
  cases: {
    'a gate is one row, and its post says that it has one, whichever comes first (X12)': {
      events: [liked, postgate],
      rows: {
        post_gate: [{ uri: recordUri(postgate), postUri: recordUri(liked) }],
        post: [{ hasPostGate: true, hasThreadGate: null }],
      },
      update: {
        record: record('app.bsky.feed.postgate', { post: recordUri(liked) }),
        rows: { post_gate: [{ postUri: recordUri(liked) }], post: [{ hasPostGate: true }] },
      },
    },
    'a post whose gate is gone has none': {
      events: [liked, postgate, deleteEvent(postgate)],
      rows: { post_gate: [], post: [{ hasPostGate: null }] },
    },
    'a gate that becomes one for the post of somebody else is none any more (X9)': {
      events: [liked, postgate, updateEvent(postgate, { ...postgate.record, post: recordUri(other) })],
      rows: { post_gate: [], record: [{ uri: recordUri(liked) }], post: [{ hasPostGate: null }] },
    },
    'a gate for the post of somebody else, or under another key, is no record': {
      events: [
        createEvent({
          did: alice,
          rkey: liked.rkey,
          record: record('app.bsky.feed.postgate', { post: recordUri(liked) }),
        }),
        createEvent({
          did: bob,
          rkey: 'another',
          record: record('app.bsky.feed.postgate', { post: recordUri(liked) }),
        }),
      ],
      rows: { post_gate: [], record: [] },
    },
  },
})
