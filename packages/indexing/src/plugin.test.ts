import { expect, expectTypeOf, test } from 'vitest'
import { defineRecordPlugin, pluginMap, type RecordPlugin } from './plugin.ts'
import { recordType, untypedRecord } from './record-type.ts'

const collection = untypedRecord('test.c')

test('a plugin names its table together with its rows', () => {
  expect(() => defineRecordPlugin({ collection, table: 'thing' })).toThrow('test.c')
  expect(() => defineRecordPlugin({ collection, toRow: ({ uri }) => ({ uri }) })).toThrow('test.c')
  expect(() => defineRecordPlugin({ collection, table: 't', toRow: ({ uri }) => ({ uri }), uniqueBy: [] })).toThrow(
    'uniqueBy',
  )
})

test('a collection has one plugin', () => {
  const plugin = defineRecordPlugin({ collection })
  expect(pluginMap([plugin])).toEqual(new Map([['test.c', plugin]]))
  expect(() => pluginMap([plugin, defineRecordPlugin({ collection })])).toThrow('two plugins for test.c')
})

test('a table has one plugin', () => {
  const plugins = ['test.a', 'test.b'].map((name) =>
    defineRecordPlugin({ collection: untypedRecord(name), table: 'thing', toRow: ({ uri }) => ({ uri }) }),
  )
  expect(() => pluginMap(plugins)).toThrow('plugins of test.a and test.b both write the rows of thing')
})

test('a plugin knows its records by their lexicon, and its columns by its rows', () => {
  const status = recordType({
    lexicon: 1,
    id: 'xyz.statusphere.status',
    defs: {
      main: {
        type: 'record',
        record: { type: 'object', required: ['status'], properties: { status: { type: 'string' } } },
      },
    },
  })
  defineRecordPlugin({
    collection: status,
    table: 'status',
    toRow: ({ uri, did, record }) => {
      expectTypeOf(record).toEqualTypeOf<{ $type: 'xyz.statusphere.status'; status: string }>()
      return { uri, creator: did, status: record.status, length: record.status.length }
    },
    uniqueBy: ['creator', 'status'],
    notify: (row, { record }) => {
      expectTypeOf(row).toEqualTypeOf<{ uri: string; creator: string; status: string; length: number }>()
      expectTypeOf(record.status).toBeString()
      return []
    },
  })

  type Columns = NonNullable<RecordPlugin<unknown, { uri: string; creator: string }>['uniqueBy']>[number]
  expectTypeOf<Columns>().toEqualTypeOf<'uri' | 'creator'>()
  expectTypeOf<NonNullable<RecordPlugin['uniqueBy']>[number]>().toEqualTypeOf<string>()
})
