import { expect, test } from 'vitest'
import { explainDifferences } from './explain.ts'

test('rows that agree need no words, whatever order and further columns they have', () => {
  const actual = {
    status: [
      { uri: 'a', n: 1 },
      { uri: 'b', n: 2 },
    ],
    other: [{}],
  }
  expect(explainDifferences(actual, { status: [{ uri: 'b' }, { uri: 'a', n: 1 }] })).toBeUndefined()
})

test('what is missing and what is there besides is told row by row, with its table', () => {
  const actual = { status: [{ uri: 'a', n: 1 }] }
  expect(explainDifferences(actual, { status: [{ uri: 'b' }], count: [{ key: 'x', n: null }] })).toBe(
    [
      '  status lacks { uri: "b" }',
      '  status has besides { uri: "a", n: 1 }',
      '  count lacks { key: "x", n: null }',
    ].join('\n'),
  )
})
