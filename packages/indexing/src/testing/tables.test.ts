import { expect, test } from 'vitest'
import { compareRows } from './tables.ts'

const actual = [
  { uri: 'a', count: 1, langs: ['en'] },
  { uri: 'b', count: 1, langs: null },
]

test('each expected row finds one that has its columns, in any order', () => {
  expect(compareRows(actual, [{ uri: 'b' }, { uri: 'a', langs: ['en'] }])).toEqual({ missing: [], extra: [] })
})

test('a vague row does not take the one that a precise one needs', () => {
  expect(compareRows(actual, [{ count: 1 }, { uri: 'a', count: 1 }])).toEqual({ missing: [], extra: [] })
  expect(compareRows(actual, [{}, { uri: 'a' }])).toEqual({ missing: [], extra: [] })
})

test('what is missing and what is there beside it is told', () => {
  expect(compareRows(actual, [{ uri: 'a' }, { uri: 'c' }])).toEqual({ missing: [{ uri: 'c' }], extra: [actual[1]] })
  expect(compareRows(actual, [{ uri: 'a' }, { uri: 'a' }])).toEqual({ missing: [{ uri: 'a' }], extra: [actual[1]] })
})
