import { expect, test } from 'vitest'
import { checkPluginTables } from './plugin-tables.ts'
import { defineRecordPlugin, type RecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'
import type { TableShape } from './table-shape.ts'

const plugin: RecordPlugin = defineRecordPlugin({
  collection: untypedRecord('test.c'),
  table: 'thing',
  toRow: ({ uri, cid, did, indexedAt }) => ({ uri, cid, creator: did, name: '', indexedAt }),
  uniqueBy: ['creator', 'name'],
  counts: [{ table: 'thing_count', key: 'name', column: 'things', of: 'name' }],
  parts: [
    {
      table: 'thing_part',
      owner: 'thing',
      toRows: ({ uri }) => [{ thing: uri, n: 1 }],
      markDeleted: { column: 'gone', key: ['place', 'thing'], locate: { column: 'place', of: () => '' } },
    },
  ],
})

const shape = (types: { [column: string]: string }, ...unique: string[][]): TableShape => ({
  types: new Map(Object.entries(types)),
  indexed: new Set(),
  unique,
  keys: [],
})
const columns = { uri: 'text', cid: 'text', creator: 'text', name: 'character varying', indexedAt: 'text' }
const thing = shape(columns, ['uri'], ['name', 'creator'])
const thing_count = shape({ name: 'text', things: 'integer' }, ['name'])
const thing_part = shape({ thing: 'text', place: 'text', gone: 'text', n: 'integer' }, ['place', 'thing'])

const check = (tables: { [table: string]: TableShape }): void =>
  checkPluginTables([plugin], new Map(Object.entries({ thing, thing_count, thing_part, ...tables })))

test('tables that fit their plugin are no problem', () => {
  check({})
  check({ thing: { ...thing, unique: [...thing.unique, ['uri', 'cid'], ['creator', 'name', 'cid']] } })
})

test.each([
  [
    'no column for the URI',
    { thing: shape({ ...columns, uri: 'integer' }, ['uri'], ['creator', 'name']) },
    'thing.uri has to be text, and is integer',
  ],
  [
    'the URI of no index',
    { thing: shape(columns, ['creator', 'name']) },
    'thing needs a unique index on (uri), and on nothing else',
  ],
  [
    'no index for what is unique (X7)',
    { thing: shape(columns, ['uri'], ['creator', 'name', 'cid']) },
    'thing needs a unique index on (creator, name), and on nothing else',
  ],
  [
    'more that is unique than the plugin says (X8)',
    { thing: shape(columns, ['uri'], ['creator', 'name'], ['cid']) },
    'thing is unique by (cid), which uniqueBy does not say',
  ],
  [
    'nothing to know a waiting record by',
    { thing: shape({ ...columns, cid: '', indexedAt: '' }, ['uri'], ['creator', 'name']) },
    'thing.cid has to be text',
  ],
  [
    'a count without its number',
    { thing_count: shape({ name: 'text' }, ['name']) },
    'thing_count.things has to be integer, and is not there',
  ],
  [
    'a count that its subject may have twice',
    { thing_count: shape({ name: 'text', things: 'bigint' }) },
    'thing_count needs a unique index on (name)',
  ],
  [
    'a part without its owner',
    { thing_part: shape({ place: 'text', gone: 'text' }, ['place', 'thing']) },
    'thing_part.thing has to be text, and is not there',
  ],
  [
    'a part that cannot be marked',
    { thing_part: shape({ thing: 'text', place: 'text' }, ['place']) },
    'thing_part.gone has to be text, and is not there\nplugin of test.c: thing_part needs a unique index on (place, thing)',
  ],
])('%s is told before any record comes', (_name, tables, message) => {
  expect(() => check(tables)).toThrow(`plugin of test.c: ${message}`)
})
