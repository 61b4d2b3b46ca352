import { expect, test } from 'vitest'
import { findAnomalies, renderAnomalies } from './anomalies.ts'
import type { Row } from './tables.ts'

const uri = 'at://did:plc:a/app.bsky.feed.like/1'
const record = { uri, cid: 'c2', did: 'did:plc:a' }
const like = { uri, cid: 'c2', subject: 'at://x' }
const told = { did: 'did:plc:b', recordUri: uri, recordCid: 'c2', reason: 'like', reasonSubject: 'at://x' }
const post = { uri, cid: 'c2', invalidReplyRoot: null }

interface Tables {
  [table: string]: Row[]
}

test.each<{ name: string; expected: Tables; actual: Tables; kinds: string[] }>([
  { name: 'nothing', expected: { record: [record] }, actual: { record: [record] }, kinds: [] },
  { name: 'a record that is not there', expected: { record: [record] }, actual: {}, kinds: ['lost record'] },
  {
    name: 'a record that is gone',
    expected: {},
    actual: { record: [record], like: [like] },
    kinds: ['zombie record', 'zombie like'],
  },
  {
    name: 'an older version',
    expected: { record: [record] },
    actual: { record: [{ ...record, cid: 'c1' }] },
    kinds: ['stale record'],
  },
  {
    name: 'a record without its row',
    expected: { record: [record], like: [like] },
    actual: { record: [record] },
    kinds: ['orphan like'],
  },
  { name: 'a row without its record', expected: {}, actual: { like: [like] }, kinds: ['orphan like'] },
  {
    name: 'a row whose record is lost',
    expected: { record: [record], like: [like] },
    actual: { like: [like] },
    kinds: ['lost record'],
  },
  {
    name: 'a row that another record should have',
    expected: { record: [record] },
    actual: { record: [record], like: [like] },
    kinds: ['misderived like'],
  },
  {
    name: 'a wrong verdict',
    expected: { record: [record], post: [post] },
    actual: { record: [record], post: [{ ...post, invalidReplyRoot: true }] },
    kinds: ['misderived post'],
  },
  {
    name: 'a wrong count',
    expected: { post_agg: [{ uri, likeCount: 1 }] },
    actual: { post_agg: [{ uri, likeCount: 2 }] },
    kinds: ['miscount post_agg'],
  },
  {
    name: 'somebody who is told twice',
    expected: { notification: [told] },
    actual: { notification: [told, { ...told }] },
    kinds: ['double-notified notification'],
  },
  {
    name: 'a label that is taken back, as none',
    expected: {},
    actual: { label: [{ src: 's', uri, cid: '', val: 'spam', neg: true }] },
    kinds: [],
  },
  {
    name: 'a reply that was deleted, as none',
    expected: {},
    actual: { op_thread_reply: [{ rootUri: 'r', uri, deletedAt: '2026' }] },
    kinds: [],
  },
])('names $name', ({ expected, actual, kinds }) => {
  const anomalies = findAnomalies(new Map(Object.entries(expected)), new Map(Object.entries(actual)))
  expect(anomalies.map(({ kind, table }) => `${kind} ${table}`)).toEqual(kinds)
})

test('one line tells one', () => {
  const anomalies = findAnomalies(new Map([['record', [record]]]), new Map([['record', [{ ...record, cid: 'c1' }]]]))
  expect(renderAnomalies(anomalies)).toBe(`stale record ${uri} cid: "c2" → "c1"`)
})
