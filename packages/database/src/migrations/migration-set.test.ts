import { expect, test } from 'vitest'
import { migrations } from './index.ts'
import { recordedSets, setOfMigration } from './migration-set.ts'

const status = { name: '0001-status', sql: 'create table status ()' }

test('migrations of others are recorded under the name of their set, after ours', () => {
  const sets = [
    { name: 'xyz.statusphere', migrations: [status, { name: '0002-more', sql: '' }] },
    { name: 'com.example', migrations: [status] },
  ]
  expect(recordedSets(sets)).toEqual([
    { name: '', migrations },
    {
      name: 'xyz.statusphere',
      migrations: [
        { name: 'xyz.statusphere/0001-status', sql: status.sql },
        { name: 'xyz.statusphere/0002-more', sql: '' },
      ],
    },
    { name: 'com.example', migrations: [{ name: 'com.example/0001-status', sql: status.sql }] },
  ])
})

test('a recorded name tells its set, and ours has none', () => {
  expect(['xyz.statusphere/0001-status', '0001-bookkeeping'].map(setOfMigration)).toEqual(['xyz.statusphere', ''])
  for (const { name } of migrations) expect(setOfMigration(name)).toBe('')
})

test.each([
  ['an empty name', [{ name: '', migrations: [] }], 'not a name for a set of migrations: ""'],
  ['a name with a slash', [{ name: 'a/b', migrations: [] }], 'not a name for a set of migrations: "a/b"'],
  [
    'one name for two sets',
    [
      { name: 'a', migrations: [] },
      { name: 'a', migrations: [] },
    ],
    'two sets of migrations are called a',
  ],
  [
    'an empty name of a migration',
    [{ name: 'a', migrations: [{ name: '', sql: '' }] }],
    'not a name for a migration of a: ""',
  ],
  [
    'one name for two migrations',
    [{ name: 'a', migrations: [status, status] }],
    'two migrations of a are called 0001-status',
  ],
])('%s is a mistake', (_name, sets, message) => {
  expect(() => recordedSets(sets)).toThrow(message)
})
