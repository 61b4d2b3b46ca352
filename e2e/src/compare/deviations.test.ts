import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { compareDatabases } from './compare-databases.ts'
import { compareTable } from './compare-tables.ts'
import { deviations } from './deviations.ts'
import type { Row } from './tables.ts'

test('docs/deviations.md names every deviation with its reason, and no other', async () => {
  const text = await readFile(path.resolve(import.meta.dirname, '../../../docs/deviations.md'), 'utf8')
  const rows = text.split('\n').filter((line) => /^\| [a-z]+-/.test(line))
  expect(rows).toEqual(deviations.map(({ name, reason }) => `| ${name} | ${reason} |`))
})

const key = ['uri']
const row = { uri: 'at://a', cid: 'c1', indexedAt: '2026-01-01T00:00:00.000Z' }

test.each([
  { name: 'equal rows', expected: [row], actual: [row], differences: [] },
  { name: 'a row that is not there', expected: [row], actual: [], differences: [{ kind: 'missing', key: 'at://a' }] },
  { name: 'a row too many', expected: [], actual: [row], differences: [{ kind: 'extra', key: 'at://a' }] },
  {
    name: 'another value',
    expected: [row],
    actual: [{ ...row, cid: 'c2' }],
    differences: [{ kind: 'changed', columns: [{ name: 'cid', expected: 'c1', actual: 'c2' }] }],
  },
  {
    name: 'another time of a clock',
    expected: [row],
    actual: [{ ...row, indexedAt: '2027-01-01T00:00:00.000Z' }],
    differences: [],
  },
  {
    name: 'a clock that never ran',
    expected: [row],
    actual: [{ ...row, indexedAt: null }],
    differences: [{ kind: 'changed', columns: [{ name: 'indexedAt' }] }],
  },
  { name: 'a column of ours', expected: [row], actual: [{ ...row, rev: '3k' }], differences: [] },
])('$name', ({ expected, actual, differences }) => {
  expect(compareTable('record', { key, clock: ['indexedAt'] }, expected, actual).differences).toMatchObject(differences)
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
