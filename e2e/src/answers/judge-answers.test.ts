import { describe, expect, test } from 'vitest'
import { compareDatabases } from '../compare/compare-databases.ts'
import { RowIndex } from '../compare/deviations.ts'
import type { Row } from '@millrace/oracle'
import { judgeAnswers, renderAnswers } from './judge-answers.ts'
import type { RecordedCall } from './recorded-calls.ts'

const alice = 'did:plc:alice'
const bob = 'did:plc:bob'
const uri = (did: string, rkey: string, collection = 'app.bsky.feed.post'): string =>
  `at://${did}/${collection}/${rkey}`
const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`

type Rows = Record<string, Row[]>

/** What becomes of one answer over these rows: `equal`, the names that explain it, or where it differs. */
function verdictOn(call: Partial<RecordedCall>, actual: unknown, rows: { expected: Rows; actual: Rows }) {
  const compared = {
    expected: new Map(Object.entries(rows.expected)),
    actual: new Map(Object.entries(rows.actual)),
  }
  const recorded = {
    calls: [{ nsid: 'test', params: {}, viewer: null, status: 200, body: {}, ...call }],
    at: 0,
    serverDid: 'did:web:appview.test',
    labelers: [],
    viewerKeys: {},
  }
  const [verdict] = judgeAnswers({
    recorded,
    answers: [{ status: 200, body: actual, at: 0 }],
    tables: compareDatabases(compared),
    rows: new RowIndex(compared),
  })
  if (verdict!.equal === 1) return 'equal'
  if (verdict!.explained === 1) return [...verdict!.deviations.keys()]
  return verdict!.different[0]!.differences.map(({ at }) => `different at ${at}`)
}

describe('a count', () => {
  // Two likes, of which the reference counted one.
  const likes = [
    { uri: uri(bob, '1', 'app.bsky.feed.like'), subject: uri(alice, '1') },
    { uri: uri(bob, '2', 'app.bsky.feed.like'), subject: uri(alice, '1') },
  ]
  const count = (likeCount: number): Rows => ({
    like: likes,
    post_agg: [{ uri: uri(alice, '1'), likeCount, replyCount: 0, repostCount: 0, quoteCount: 0 }],
  })
  const view = (likeCount: number) => ({ posts: [{ uri: uri(alice, '1'), likeCount }] })

  test.each([
    { name: 'is equal', ours: 1, shown: 1, verdict: 'equal' },
    { name: 'may be what the rows are counted to', ours: 2, shown: 2, verdict: ['exact-counts'] },
    { name: 'may not be other than our row', ours: 2, shown: 3, verdict: ['different at $.posts[0].likeCount'] },
    {
      name: 'may not be one that no deviation covers',
      ours: 3,
      shown: 3,
      verdict: ['different at $.posts[0].likeCount'],
    },
  ])('$name', ({ ours, shown, verdict }) => {
    const rows = { expected: count(1), actual: count(ours) }
    expect(verdictOn({ body: view(1) }, view(shown), rows)).toEqual(verdict)
  })
})

describe('a page of a timeline', () => {
  const repost = uri(bob, '9', 'app.bsky.feed.repost')
  const row = (rkey: string, second: number): Row => ({
    uri: uri(alice, rkey),
    cid: `cid${rkey}`,
    originatorDid: alice,
    sortAt: at(second),
  })
  // A repost whose subject is gone: ours has its row, which shows no item and takes its place on the page.
  const gone: Row = { uri: repost, cid: 'cid9', originatorDid: alice, sortAt: at(4) }
  const base: Rows = {
    record: [{ uri: repost }],
    follow: [{ uri: uri(bob, '1', 'app.bsky.graph.follow'), creator: bob, subjectDid: alice }],
    feed_item: [row('5', 5), row('3', 3), row('2', 2)],
  }
  const rows = {
    expected: base,
    actual: {
      ...base,
      feed_item: [...base['feed_item']!, gone],
      repost: [{ uri: repost, subject: uri(alice, 'gone'), subjectCid: 'cid' }],
    },
  }
  const page = (cursor: string | undefined, ...rkeys: string[]) => ({
    feed: rkeys.map((rkey) => ({ post: { uri: uri(alice, rkey) } })),
    ...(cursor !== undefined && { cursor }),
  })
  const cursor = (rkey: string, second: number): string => `${Date.parse(at(second))}__cid${rkey}`
  const call = { nsid: 'app.bsky.feed.getTimeline', viewer: bob, params: { limit: 2 } }

  test('may end earlier where a row that only ours has takes a place', () => {
    const expected = { ...call, body: page(cursor('3', 3), '5', '3') }
    expect(verdictOn(expected, page(cursor('9', 4), '5'), rows)).toEqual(['no-cascade-through-subjects'])
  })

  test('may not lack what comes before its end', () => {
    const expected = { ...call, body: page(cursor('2', 2), '5', '3', '2') }
    expect(verdictOn(expected, page(cursor('2', 2), '5', '2'), rows)).toEqual(['different at $.feed[1]'])
    expect(verdictOn(expected, page(undefined, '5', '3'), rows)).toContain('different at $.feed[2]')
  })

  test('may not end earlier where the rows are the same', () => {
    const expected = { ...call, body: page(cursor('3', 3), '5', '3') }
    const same = { expected: base, actual: base }
    expect(verdictOn(expected, page(cursor('5', 5), '5'), same)).toEqual([
      'different at $.feed[1]',
      'different at $.cursor',
    ])
    // Nor where they differ only for others, or on another page.
    const others = { ...rows, actual: { ...rows.actual, follow: [] }, expected: { ...base, follow: [] } }
    expect(verdictOn(expected, page(cursor('5', 5), '5'), others)).toHaveLength(2)
    const next = { ...call, params: { limit: 2, cursor: cursor('3', 3) }, body: page(undefined, '2') }
    expect(verdictOn(next, page(cursor('3', 3)), rows)).toHaveLength(2)
  })

  test('may not have another order', () => {
    const expected = { ...call, body: page(undefined, '5', '3', '2') }
    expect(verdictOn(expected, page(undefined, '3', '5', '2'), rows)).toEqual([
      expect.stringMatching(/^different at \$\.feed/),
    ])
  })
})

describe('notifications', () => {
  const verification = uri(alice, '1', 'app.bsky.graph.verification')
  const row = (recordUri: string, second: number): Row => ({
    did: bob,
    recordUri,
    reason: 'verified',
    reasonSubject: null,
    sortAt: at(second),
  })
  // The verification is gone, and the reference keeps what it told.
  const kept = uri(alice, '2', 'app.bsky.graph.verification')
  const rows = {
    expected: { record: [{ uri: kept }], notification: [row(kept, 1), row(verification, 2)] },
    actual: { record: [{ uri: kept }], notification: [row(kept, 1)] },
  }
  const list = (...of: [recordUri: string, second: number][]) => ({
    notifications: of.map(([recordUri, second]) => ({ uri: recordUri, reason: 'verified', indexedAt: at(second) })),
    seenAt: at(Math.max(...of.map(([, second]) => second))),
  })
  const call = { nsid: 'app.bsky.notification.listNotifications', viewer: bob }

  test('go with their record, and the newest one with them', () => {
    const expected = { ...call, body: list([verification, 2], [kept, 1]) }
    expect(verdictOn(expected, list([kept, 1]), rows)).toEqual(['retracted-notifications'])
  })

  test('do not go without it', () => {
    const expected = { ...call, body: list([verification, 2], [kept, 1]) }
    expect(verdictOn(expected, list([verification, 2]), rows)).toEqual(['different at $.notifications[1]'])
  })

  test('are counted as the rows are', () => {
    const unread = { ...call, nsid: 'app.bsky.notification.getUnreadCount' }
    const both = { ...rows, actual: { ...rows.actual, notification: [row(kept, 1), row(kept, 3)] } }
    expect(verdictOn({ ...unread, body: { count: 1 } }, { count: 1 }, rows)).toBe('equal')
    expect(verdictOn({ ...unread, body: { count: 1 } }, { count: 2 }, rows)).toEqual(['different at $.count'])
    expect(verdictOn({ ...unread, body: { count: 1 } }, { count: 2 }, both)).toEqual(['retracted-notifications'])
  })
})

describe('a reply that the reference judged once', () => {
  const reply = uri(bob, '1')
  const post = (violates: boolean | null): Row => ({
    uri: reply,
    replyRoot: uri(alice, '1'),
    replyParent: uri(alice, '1'),
    violatesThreadGate: violates,
    invalidReplyRoot: null,
  })
  // Its gate is gone.
  const rows = {
    expected: { record: [{ uri: uri(alice, '1') }], post: [post(true)] },
    actual: { record: [{ uri: uri(alice, '1') }], post: [post(null)] },
  }
  const call = { nsid: 'app.bsky.feed.getPostThread' }

  test('is in its thread, and what follows from that is explained', () => {
    const above = { thread: { post: { uri: reply, viewer: { replyDisabled: true } } } }
    const inside = {
      thread: { post: { uri: reply, viewer: {} }, parent: { post: { uri: uri(alice, '1') } }, replies: [] },
    }
    expect(verdictOn({ ...call, body: above }, inside, rows)).toEqual(['verdicts-converge'])
    const root = (...replies: object[]) => ({ thread: { post: { uri: uri(alice, '1') }, replies } })
    expect(verdictOn({ ...call, body: root() }, root({ post: { uri: reply } }), rows)).toEqual(['verdicts-converge'])
  })

  test('explains nothing about others, and nothing else about itself', () => {
    const root = (...replies: object[]) => ({ thread: { post: { uri: uri(alice, '1') }, replies } })
    expect(verdictOn({ ...call, body: root() }, root({ post: { uri: uri(bob, '2') } }), rows)).toHaveLength(1)
    const text = (text: string) => ({ thread: { post: { uri: reply, record: { text } } } })
    expect(verdictOn({ ...call, body: text('a') }, text('b'), rows)).toEqual(['different at $.thread.post.record.text'])
  })
})

describe('the time of indexing', () => {
  const profile = `at://${alice}/app.bsky.actor.profile/self`
  const rows = {
    expected: { record: [{ uri: profile, indexedAt: at(1) }] },
    actual: { record: [{ uri: profile, indexedAt: at(5) }] },
  }
  const view = (second: number) => ({ did: alice, indexedAt: at(second) })

  test('may be our clock, and nothing else', () => {
    expect(verdictOn({ body: view(1) }, view(5), rows)).toEqual(['our-clock'])
    expect(verdictOn({ body: view(1) }, view(4), rows)).toEqual(['different at $.indexedAt'])
  })
})

test('another status is a difference, with what was answered instead', () => {
  const rows = { expected: {}, actual: {} }
  expect(verdictOn({ status: 400 }, {}, rows)).toEqual(['different at $'])
})

test('what chance decides there is passed over', () => {
  const rows = { expected: {}, actual: {} }
  expect(verdictOn({ body: { a: 1, b: 1 }, volatile: ['$.a'] }, { a: 2, b: 1 }, rows)).toBe('equal')
})

test('the table names methods, counts and reasons', () => {
  const table = renderAnswers([
    { nsid: 'a.b.one', calls: 12, equal: 12, explained: 0, deviations: new Map(), different: [] },
    { nsid: 'a.b.two', calls: 3, equal: 1, explained: 2, deviations: new Map([['our-clock', 2]]), different: [] },
  ])
  expect(table.split('\n')).toEqual([
    'method   calls  equal  explained  different  explained by',
    'a.b.one     12     12          -          -',
    'a.b.two      3      1          2          -  our-clock 2',
  ])
})
