import { expect, test } from 'vitest'
import { checkCountTables, countTables } from './count-tables.ts'
import { examplePlugins } from './example-plugins.testing.ts'
import { defineRecordPlugin, type Count, type RecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'
import type { TableShape } from './table-shape.ts'

const likes: Count = { table: 'post_agg', key: 'uri', column: 'likeCount', of: 'subject' }
const plugin = (name: string, fields: Partial<RecordPlugin>): RecordPlugin =>
  defineRecordPlugin({ collection: untypedRecord(`test.${name}`), ...fields })
const rowsIn = (table: string, counts?: readonly Count[]): Partial<RecordPlugin> => ({
  table,
  toRow: ({ uri }) => ({ uri }),
  ...(counts && { counts }),
})

test('counts of all plugins and of their parts, table by table', () => {
  expect(countTables(examplePlugins)).toEqual([
    {
      table: 'post_agg',
      key: 'uri',
      columns: [{ column: 'quoteCount', rows: [{ table: 'quote', of: 'subject' }] }],
    },
    {
      table: 'profile_agg',
      key: 'did',
      columns: [
        { column: 'followersCount', rows: [{ table: 'follow', of: 'subjectDid' }] },
        { column: 'followsCount', rows: [{ table: 'follow', of: 'creator' }] },
      ],
    },
  ])
})

test('a number may count rows of several tables, and rows that two collections share count once', () => {
  const [table] = countTables([
    plugin('a', rowsIn('like', [likes])),
    plugin('b', rowsIn('like', [likes])),
    plugin('c', rowsIn('star', [{ ...likes, unless: 'hidden' }])),
  ])
  expect(table!.columns).toEqual([
    {
      column: 'likeCount',
      rows: [
        { table: 'like', of: 'subject' },
        { table: 'star', of: 'subject', unless: 'hidden' },
      ],
    },
  ])
})

test.each([
  {
    name: 'rows that one collection counts and another does not',
    plugins: [plugin('a', rowsIn('like', [likes])), plugin('b', rowsIn('like'))],
    error: 'plugins that share like',
  },
  {
    name: 'numbers of one table by two keys',
    plugins: [plugin('a', rowsIn('like', [likes])), plugin('b', rowsIn('star', [{ ...likes, key: 'did' }]))],
    error: 'post_agg are kept by uri and by did',
  },
  { name: 'rows that there are none of', plugins: [plugin('a', { counts: [likes] })], error: 'test.a counts rows' },
  {
    name: 'rows that stay when they are deleted',
    plugins: [
      plugin('a', {
        parts: [
          {
            table: 'star',
            owner: 'uri',
            toRows: () => [],
            counts: [likes],
            markDeleted: { column: 'at', key: ['uri'], locate: { column: 'uri', of: (row) => row['uri']! } },
          },
        ],
      }),
    ],
    error: 'rows of star stay',
  },
])('what cannot be counted is refused: $name', ({ plugins, error }) => {
  expect(() => countTables(plugins)).toThrow(error)
})

test.each<[count: Partial<Count>, error: string | undefined]>([
  [{}, undefined],
  [{ of: 'sbject' }, 'like.sbject'],
  [{ of: 'hidden' }, 'text in like.hidden, which is boolean'],
  [{ unless: 'subject' }, 'boolean in like.subject, which is text'],
  [{ column: 'likes' }, 'post_agg.likes'],
  [{ column: 'uri' }, 'bigint in post_agg.uri'],
  [{ key: 'id' }, 'post_agg.id'],
])('columns are there and of their kind: %j', (change, error) => {
  const shape = (types: Record<string, string>): TableShape => ({
    types: new Map(Object.entries(types)),
    indexed: new Set(),
    unique: [],
    keys: [],
  })
  const shapes = new Map([
    ['like', shape({ subject: 'text', hidden: 'boolean' })],
    ['post_agg', shape({ uri: 'character varying', likeCount: 'bigint' })],
  ])
  const check = (): void =>
    checkCountTables(countTables([plugin('a', rowsIn('like', [{ ...likes, unless: 'hidden', ...change }]))]), shapes)
  if (error === undefined) check()
  else expect(check).toThrow(error)
})
