import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareDatabases } from './compare-databases.ts'
import { deviations } from './deviations.ts'
import type { Row } from '@millrace/oracle'

test('docs/deviations.md names every deviation with its reason, and no other', async () => {
  const text = await readFile(path.resolve(import.meta.dirname, '../../../docs/deviations.md'), 'utf8')
  const rows = text.split('\n').filter((line) => /^\| [a-z]+-/.test(line))
  expect(rows).toEqual(deviations.map(({ name, reason }) => `| ${name} | ${reason} |`))
})

test('what no deviation covers is unexplained', () => {
  const like = { uri: 'at://did:plc:a/app.bsky.feed.like/1', cid: 'c', creator: 'did:plc:a', subject: 'at://x' }
  const rows = { expected: new Map([['like', [like]]]), actual: new Map([['like', []]]) }
  const verdict = compareDatabases(rows).find(({ table }) => table === 'like')
  expect(verdict?.unexplained).toHaveLength(1)
  expect(verdict?.accepted.size).toBe(0)
})

describe('a row that sorts by the time of indexing', () => {
  const uri = 'at://did:plc:a/app.bsky.feed.post/1'
  const [theirs, ours] = ['2026-01-01T00:00:00.000Z', '2026-01-05T00:00:00.000Z']
  const side = (indexedAt: string, sortAt: string) =>
    new Map<string, Row[]>([
      ['record', [{ uri, indexedAt }]],
      ['feed_item', [{ uri, sortAt }]],
    ])

  test.each([
    { name: 'may have our clock', sortAt: ours, accepted: ['our-clock'] },
    { name: 'may have no other time', sortAt: '2026-01-04T00:00:00.000Z', accepted: [] },
  ])('$name', ({ sortAt, accepted }) => {
    const verdicts = compareDatabases({ expected: side(theirs, theirs), actual: side(ours, sortAt) })
    const verdict = verdicts.find(({ table }) => table === 'feed_item')
    expect([...(verdict?.accepted.keys() ?? [])]).toEqual(accepted)
    expect(verdict?.unexplained).toHaveLength(1 - accepted.length)
  })
})

describe('a reason holds or it does not', () => {
  const post = (rkey: string): string => `at://did:plc:a/app.bsky.feed.post/${rkey}`
  const reply = (rkey: string, fields: Row): Row => ({
    uri: post(rkey),
    replyRoot: post('root'),
    replyParent: post('root'),
    violatesThreadGate: null,
    invalidReplyRoot: null,
    ...fields,
  })
  const told = (recordUri: string, reasonSubject: string): Row => ({
    did: 'did:plc:b',
    recordUri,
    reason: 'reply',
    reasonSubject,
  })
  const live = (...rkeys: string[]): Row[] => rkeys.map((rkey) => ({ uri: post(rkey), cid: 'c' }))
  const repost = 'at://did:plc:b/app.bsky.feed.repost/1'
  const records = [...live('root', 'reply'), { uri: repost, cid: 'c' }]
  const like = 'at://did:plc:a/app.bsky.feed.like/2'
  const duplicate = { uri: like, duplicateOf: 'at://did:plc:a/app.bsky.feed.like/1' }

  test.each<{
    name: string
    table: string
    expected: Record<string, Row[]>
    actual: Record<string, Row[]>
    by?: string
  }>([
    {
      name: 'a reply is allowed again where its gate went',
      table: 'post',
      expected: { record: records, post: [reply('reply', { violatesThreadGate: true, invalidReplyRoot: false })] },
      actual: { record: records, post: [reply('reply', {})] },
      by: 'verdicts-converge',
    },
    {
      name: 'and nowhere else',
      table: 'post',
      expected: { record: records, post: [reply('reply', {})] },
      actual: { record: records, post: [reply('reply', { violatesThreadGate: true, invalidReplyRoot: false })] },
    },
    {
      name: 'a reply is invalid where its parent went',
      table: 'post',
      expected: { record: live('reply'), post: [reply('reply', {})] },
      actual: { record: live('reply'), post: [reply('reply', { invalidReplyRoot: true })] },
      by: 'verdicts-converge',
    },
    {
      name: 'nobody is told of a reply to what went',
      table: 'notification',
      expected: {
        record: live('reply'),
        post: [reply('reply', {})],
        notification: [told(post('reply'), post('root'))],
      },
      actual: { record: live('reply'), post: [reply('reply', {})] },
      by: 'verdicts-converge',
    },
    {
      name: 'whoever is replied to is told',
      table: 'notification',
      expected: { record: records, post: [reply('reply', {})], notification: [told(post('reply'), post('root'))] },
      actual: { record: records, post: [reply('root', { replyRoot: null, replyParent: null }), reply('reply', {})] },
    },
    {
      name: 'above the parent those of another thread are not told',
      table: 'notification',
      expected: { record: live('reply', 'other'), notification: [told(post('reply'), post('other'))] },
      actual: {
        record: records,
        post: [
          reply('other', { replyRoot: null, replyParent: null }),
          reply('parent', { replyRoot: post('other'), replyParent: post('other') }),
          reply('reply', { replyParent: post('parent') }),
        ],
      },
      by: 'threads-are-apart',
    },
    {
      name: 'those of the same thread are',
      table: 'notification',
      expected: { record: records, notification: [told(post('reply'), post('root'))] },
      actual: {
        record: records,
        post: [
          reply('root', { replyRoot: null, replyParent: null }),
          reply('parent', {}),
          reply('reply', { replyParent: post('parent') }),
        ],
      },
    },
    {
      name: 'a repost stays in the feed where its subject is not what it was',
      table: 'feed_item',
      expected: { record: records },
      actual: { repost: [{ uri: repost, subject: post('gone'), subjectCid: 'c' }], feed_item: [{ uri: repost }] },
      by: 'no-cascade-through-subjects',
    },
    {
      name: 'one of what is as it was has its item in both',
      table: 'feed_item',
      expected: { record: records },
      actual: { repost: [{ uri: repost, subject: post('root'), subjectCid: 'c' }], feed_item: [{ uri: repost }] },
    },
    {
      name: 'a post that answers what it names by a handle is none',
      table: 'post',
      expected: {
        record: [{ uri: post('reply'), json: '{"reply":{"root":{"uri":"at://a.test/app.bsky.feed.post/1"}}}' }],
        post: [reply('reply', {})],
      },
      actual: {},
      by: 'readable-records',
    },
    {
      name: 'one that names it by its DID is',
      table: 'post',
      expected: {
        record: [{ uri: post('reply'), json: '{"reply":{"root":{"uri":"at://did:plc:a/app.bsky.feed.post/1"}}}' }],
        post: [reply('reply', {})],
      },
      actual: {},
    },
    {
      name: 'a duplicate that got the row is none',
      table: 'duplicate_record',
      expected: { record: [{ uri: like }], duplicate_record: [duplicate] },
      actual: { like: [{ uri: like }] },
      by: 'promotion-clears-duplicate',
    },
    {
      name: 'one that did not is one',
      table: 'duplicate_record',
      expected: { record: [{ uri: like }], duplicate_record: [duplicate] },
      actual: {},
    },
  ])('$name', ({ table, expected, actual, by }) => {
    const verdicts = compareDatabases({
      expected: new Map(Object.entries(expected)),
      actual: new Map(Object.entries(actual)),
    })
    const verdict = verdicts.find((verdict) => verdict.table === table)
    expect([...(verdict?.accepted.keys() ?? [])]).toEqual(by === undefined ? [] : [by])
    expect(verdict?.unexplained).toHaveLength(by === undefined ? 1 : 0)
  })
})
