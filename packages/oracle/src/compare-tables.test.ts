import { expect, test } from 'vitest'
import { compareTable } from './compare-tables.ts'

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

test('of JSON text the order of keys says nothing', () => {
  const compare = (expected: string, actual: string): number =>
    compareTable(
      'record',
      { key, json: ['json'] },
      [{ uri: 'at://a', json: expected }],
      [{ uri: 'at://a', json: actual }],
    ).differences.length
  expect(compare('{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}')).toBe(0)
  expect(compare('{"a":[1,2]}', '{"a":[2,1]}')).toBe(1)
})
