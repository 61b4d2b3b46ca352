import { expect, test } from 'vitest'
import { defineRecordPlugin, pluginMap } from './plugin.ts'
import { untypedRecord } from './record-type.ts'

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
