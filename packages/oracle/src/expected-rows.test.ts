import { describe, expect, test } from 'vitest'
import { expectedRows, type OracleOptions } from './expected-rows.ts'
import type { FinalRecord } from './final-network.ts'
import type { Json } from './json.ts'

const alice = 'did:plc:alicealicealicealicealic'
const bob = 'did:plc:bobbobbobbobbobbobbobbob'
const carol = 'did:plc:carolcarolcarolcarolcaro'
const cid = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'
const createdAt = '2026-01-15T10:00:00.000Z'
const seen = '2026-01-15T12:00:00.000Z'

const record = (did: string, collection: string, rkey: string, fields: Json): FinalRecord => ({
  uri: `at://${did}/${collection}/${rkey}`,
  cid,
  record: { $type: collection, createdAt, ...fields },
})
const post = (did: string, rkey: string, fields: Json = {}): FinalRecord =>
  record(did, 'app.bsky.feed.post', rkey, { text: 'hello', ...fields })
const like = (did: string, rkey: string, { uri }: FinalRecord): FinalRecord =>
  record(did, 'app.bsky.feed.like', rkey, { subject: { uri, cid } })
const ref = ({ uri }: FinalRecord): Json => ({ uri, cid })
const reply = (did: string, rkey: string, root: FinalRecord, parent = root, fields: Json = {}): FinalRecord =>
  post(did, rkey, { reply: { root: ref(root), parent: ref(parent) }, ...fields })
const gate = ({ uri }: FinalRecord, fields: Json): FinalRecord => {
  const [, , did = '', , rkey = ''] = uri.split('/')
  return record(did, 'app.bsky.feed.threadgate', rkey, { post: uri, ...fields })
}

/** The rows of these records and no others. */
function rowsOf(records: readonly FinalRecord[], options: Partial<OracleOptions> = {}) {
  const byDid = Map.groupBy(records, ({ uri }) => uri.split('/')[2]!)
  const rows = expectedRows({
    repos: [...byDid].map(([did, records]) => ({ did, rev: '3kaaaaaaaaaa2', commit: cid, records })),
    accounts: [...byDid.keys()].map((did) => ({ did, status: null })),
    labels: [],
    now: Date.parse(seen),
    seenAt: () => seen,
    ...options,
  })
  return (table: string) => rows.get(table) ?? []
}

describe('records', () => {
  test('a record that its lexicon forbids is none (X9)', () => {
    const rows = rowsOf([post(alice, '1', { text: 7 }), post(alice, '2', { $type: 'app.bsky.feed.like' })])
    expect([rows('record'), rows('post'), rows('profile_agg')]).toEqual([[], [], []])
  })

  test('of an unknown collection it is kept, and of chat any is (X10)', () => {
    const records = [
      record(alice, 'com.example.any', '1', {}),
      record(alice, 'chat.bsky.actor.declaration', 'self', {}),
    ]
    expect(rowsOf(records)('record')).toHaveLength(2)
  })

  test('an item of the list of another account is none', () => {
    const item = (of: string): FinalRecord =>
      record(alice, 'app.bsky.graph.listitem', of, { subject: bob, list: `at://${of}/app.bsky.graph.list/1` })
    expect(rowsOf([item(alice), item(bob)])('list_item')).toMatchObject([
      { listUri: `at://${alice}/app.bsky.graph.list/1` },
    ])
  })

  test('a profile under another key than self has no row of its own', () => {
    const profile = (rkey: string): FinalRecord => record(alice, 'app.bsky.actor.profile', rkey, { displayName: 'A' })
    const rows = rowsOf([profile('self'), profile('other')])
    expect([rows('record').length, rows('profile').length]).toEqual([2, 1])
  })

  test('of a deleted account nothing is left, and what others made of it stays', () => {
    const subject = post(alice, '1')
    const accounts = [
      { did: alice, status: 'deleted', deleted: true },
      { did: bob, status: null },
    ]
    const rows = rowsOf([subject, like(bob, '1', subject)], { accounts })
    expect(rows('record')).toMatchObject([{ did: bob }])
    expect(rows('actor')).toEqual([{ did: bob, upstreamStatus: null }])
    expect(rows('actor_sync')).toMatchObject([{ did: bob }])
    expect(rows('post_agg')).toMatchObject([{ uri: subject.uri, likeCount: 1 }])
    expect(rows('notification')).toMatchObject([{ did: alice, reason: 'like' }])
  })
})

describe('pairs', () => {
  test('the smallest URI has the row, and alone counts and notifies (X7)', () => {
    const subject = post(alice, '1')
    const rows = rowsOf([subject, like(bob, '2', subject), like(bob, '1', subject), like(bob, '3', subject)])
    const [first, ...others] = ['1', '2', '3'].map((rkey) => like(bob, rkey, subject).uri)
    expect(rows('like')).toMatchObject([{ uri: first }])
    expect(rows('duplicate_record').map(({ uri, duplicateOf }) => [uri, duplicateOf])).toEqual(
      others.map((uri) => [uri, first]),
    )
    expect(rows('post_agg')).toMatchObject([{ likeCount: 1 }])
    expect(rows('notification')).toMatchObject([{ recordUri: first }])
  })
})

describe('threads', () => {
  const root = post(alice, '1')
  const parent = reply(bob, '1', root)
  const verdicts = (records: readonly FinalRecord[], of: FinalRecord, options?: Partial<OracleOptions>) => {
    const row = rowsOf(records, options)('post').find(({ uri }) => uri === of.uri)!
    return [row['invalidReplyRoot'], row['violatesThreadGate']]
  }

  test.each([
    { name: 'whose parent is there is valid', records: [root, parent], of: parent, expected: [null, null] },
    { name: 'whose parent is missing is not', records: [parent], of: parent, expected: [true, false] },
    {
      name: 'below an invalid one is not valid either',
      records: [parent, reply(carol, '1', root, parent)],
      of: reply(carol, '1', root, parent),
      expected: [true, false],
    },
    {
      name: 'that says another root than its parent is not valid',
      records: [root, parent, reply(carol, '1', post(alice, '2'), parent)],
      of: reply(carol, '1', post(alice, '2'), parent),
      expected: [true, false],
    },
    {
      name: 'whose root is a reply itself is not valid',
      records: [root, parent, reply(carol, '1', parent)],
      of: reply(carol, '1', parent),
      expected: [true, false],
    },
    {
      name: 'in a circle is not valid',
      records: [root, reply(bob, '1', root, reply(carol, '1', root)), reply(carol, '1', root, parent)],
      of: parent,
      expected: [true, false],
    },
    {
      name: 'to a list has no thread',
      records: [reply(bob, '1', list()), list()],
      of: reply(bob, '1', list()),
      expected: [null, null],
    },
    {
      name: 'that a gate without anybody forbids is counted out',
      records: [root, parent, gate(root, { allow: [] })],
      of: parent,
      expected: [false, true],
    },
    {
      name: 'is let in by a gate without rules',
      records: [root, parent, gate(root, {})],
      of: parent,
      expected: [null, null],
    },
  ])('a reply $name (X12)', ({ records, of, expected }) => expect(verdicts(records, of)).toEqual(expected))

  const rule = (name: string, fields: Json = {}): Json => ({ $type: `app.bsky.feed.threadgate#${name}`, ...fields })
  const follow = (did: string, subject: string): FinalRecord => record(did, 'app.bsky.graph.follow', '1', { subject })
  const friends = `at://${alice}/app.bsky.graph.list/1`
  const item = record(alice, 'app.bsky.graph.listitem', '1', { subject: bob, list: friends })
  const mention = {
    features: [{ $type: 'app.bsky.richtext.facet#mention', did: bob }],
    index: { byteStart: 0, byteEnd: 1 },
  }

  test.each([
    { name: 'whom the root mentions', rules: ['mentionRule'], records: [post(alice, '1', { facets: [mention] })] },
    { name: 'whom its author follows', rules: ['followingRule'], records: [root, follow(alice, bob)] },
    { name: 'who follows its author', rules: ['followerRule'], records: [root, follow(bob, alice)] },
    { name: 'who is on a list', rules: ['listRule'], records: [root, item] },
  ])('a gate may let in $name, and nobody else', ({ rules, records }) => {
    const allow = rules.map((name) => rule(name, name === 'listRule' ? { list: friends } : {}))
    const all = [...records, parent, reply(carol, '1', root), gate(root, { allow })]
    expect(verdicts(all, parent)).toEqual([null, null])
    expect(verdicts(all, reply(carol, '1', root))).toEqual([false, true])
  })

  test('where it hangs on follows, a verdict is as it was when it was given', () => {
    const records = [root, parent, gate(root, { allow: [rule('followingRule')] })]
    expect(verdicts(records, parent)).toEqual([false, true])
    expect(verdicts(records, parent, { wasForbidden: () => false })).toEqual([null, null])
  })

  test('a forbidden reply is not counted, and nobody of its thread hears of it', () => {
    const rows = rowsOf([root, parent, gate(root, { allow: [] })])
    expect(rows('post_agg')).toEqual([])
    expect(rows('notification')).toEqual([])
  })

  test('four authors above a reply hear of it, each once, none above what is hidden', () => {
    const authors = [alice, bob, carol, 'did:plc:dave', 'did:plc:erin', 'did:plc:frank', 'did:plc:gina']
    const thread = [post(alice, '1')]
    for (const did of authors.slice(1, 6)) thread.push(reply(did, '1', thread[0]!, thread.at(-1)))
    const last = reply(authors[6]!, '1', thread[0]!, thread.at(-1))
    const told = (records: readonly FinalRecord[]) =>
      rowsOf(records)('notification')
        .filter(({ recordUri }) => recordUri === last.uri)
        .map(({ did }) => did)
    expect(told([...thread, last])).toEqual(authors.slice(2, 6).reverse())
    const hides = gate(thread[0]!, { hiddenReplies: [thread[4]!.uri] })
    expect(told([...thread, last, hides])).toEqual(authors.slice(4, 6).reverse())
  })

  test('a post that may not be quoted is, but its author does not hear of it', () => {
    const quote = post(bob, '1', { embed: { $type: 'app.bsky.embed.record', record: ref(root) } })
    const rules = { post: root.uri, embeddingRules: [{ $type: 'app.bsky.feed.postgate#disableRule' }] }
    const rows = rowsOf([root, quote, record(alice, 'app.bsky.feed.postgate', '1', rules)])
    expect(rows('post')).toMatchObject([
      { uri: root.uri, hasPostGate: true },
      { uri: quote.uri, violatesEmbeddingRules: true },
    ])
    expect(rows('post_agg')).toMatchObject([{ uri: root.uri, quoteCount: 1 }])
    expect(rows('notification')).toEqual([])
  })

  test('replies of the author are those of their own thread', () => {
    const own = reply(alice, '2', root, parent)
    expect(rowsOf([root, parent, own])('op_thread_reply')).toEqual([
      { rootUri: root.uri, parentUri: parent.uri, uri: own.uri, deletedAt: null },
    ])
  })

  function list(): FinalRecord {
    return record(alice, 'app.bsky.graph.list', '1', { name: 'a list', purpose: 'app.bsky.graph.defs#curatelist' })
  }
})

describe('notifications (X14)', () => {
  const subject = post(alice, '1')

  test('of what is older than the horizon nobody hears', () => {
    const records = [subject, like(bob, '1', subject)]
    expect(rowsOf(records, { notificationHorizonMs: 3 * 3_600_000 })('notification')).toHaveLength(1)
    expect(rowsOf(records, { notificationHorizonMs: 3_600_000 })('notification')).toEqual([])
  })

  test('handles hear of nothing, and nobody of what they did themselves', () => {
    const handled = { ...subject, uri: subject.uri.replace(alice, 'alice.test') }
    expect(rowsOf([subject, like(alice, '1', subject), like(bob, '1', handled)])('notification')).toEqual([])
  })

  test('whose repost a like was found by hears of it too', () => {
    const via = { uri: `at://${carol}/app.bsky.feed.repost/1`, cid }
    const found = record(bob, 'app.bsky.feed.like', '1', { subject: ref(subject), via })
    expect(rowsOf([subject, found])('notification').map(({ did, reason }) => [did, reason])).toEqual([
      [alice, 'like'],
      [carol, 'like-via-repost'],
    ])
  })
})
