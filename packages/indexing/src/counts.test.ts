import { expect, test } from 'vitest'
import { CountDeltas } from './counts.ts'
import type { Count } from './plugin.ts'

const likes: Count = { table: 'post_agg', key: 'uri', column: 'likeCount', of: 'subject' }
const followers: Count = { table: 'profile_agg', key: 'did', column: 'followersCount', of: 'subjectDid' }

test('whatever a batch does to a subject is one number (A1)', () => {
  const counts = new CountDeltas()
  counts.addRows([likes], [{ subject: 'a' }, { subject: 'b' }, { subject: 'a' }], 1)
  counts.addRows([likes], [{ subject: 'a' }], -1)
  counts.add({ table: 'post_agg', key: 'uri', column: 'replyCount' }, 'a', 3)
  expect(counts.folded()).toEqual([
    {
      table: 'post_agg',
      key: 'uri',
      columns: ['likeCount', 'replyCount'],
      rows: [
        { subject: 'a', deltas: [1, 3] },
        { subject: 'b', deltas: [1, 0] },
      ],
    },
  ])
})

test('tables and keys are in byte order, so that all transactions lock the same way round (X3)', () => {
  const counts = new CountDeltas()
  counts.addRows([followers], [{ subjectDid: 'did:b' }, { subjectDid: 'did:B' }, { subjectDid: 'did:a' }], 1)
  counts.addRows([likes], [{ subject: 'z' }], 1)
  expect(counts.folded().map(({ table, rows }) => [table, ...rows.map((row) => row.subject)])).toEqual([
    ['post_agg', 'z'],
    ['profile_agg', 'did:B', 'did:a', 'did:b'],
  ])
})

test('what cancels out is not written, and a table without changes is left alone', () => {
  const counts = new CountDeltas()
  counts.addRows([likes, followers], [{ subject: 'a', subjectDid: 'd' }], 1)
  counts.addRows([likes], [{ subject: 'a' }], -1)
  expect(counts.folded().map(({ table }) => table)).toEqual(['profile_agg'])
})

test('subjects that something is taken from are known', () => {
  const counts = new CountDeltas()
  counts.addRows([likes], [{ subject: 'a' }, { subject: 'b' }], 1)
  counts.addRows([likes], [{ subject: 'b' }], -1)
  expect(counts.fallen()).toEqual([])
  counts.addRows([likes], [{ subject: 'c' }, { subject: 'b' }], -1)
  expect(counts.fallen()).toEqual([{ table: 'post_agg', key: 'uri', columns: ['likeCount'], subjects: ['b', 'c'] }])
})

test('a row without a subject counts nowhere, and one that does not count neither', () => {
  const counts = new CountDeltas()
  const shown = [{ ...likes, unless: 'hidden' }]
  counts.addRows(shown, [{ subject: null }, { subject: 'a', hidden: true }], 1)
  expect(counts.folded()).toEqual([])
  // A column that the row does not have yet is not true either.
  counts.addRows(shown, [{ subject: 'a', hidden: false }, { subject: 'a', hidden: null }, { subject: 'a' }], 1)
  expect(counts.folded()[0]!.rows).toEqual([{ subject: 'a', deltas: [3] }])
})
