import { expect, test } from 'vitest'
import { formatColumns } from './columns.ts'

test('columns are as wide as their widest cell, and numbers stand to the right', () => {
  expect(
    formatColumns(
      [
        ['table', 'rows', 'why'],
        ['post', '1,000'],
        ['like', '7', 'late'],
      ],
      [1],
    ),
  ).toBe(['table   rows  why', 'post   1,000', 'like       7  late'].join('\n'))
})
