import { expect, test } from 'vitest'
import { definePluginSet } from './plugin-set.ts'
import { defineRecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'

test('a set is its name, its plugins and its tables, and its plugins go together', () => {
  const plugin = defineRecordPlugin({ collection: untypedRecord('test.c') })
  const migrations = [{ name: '0001-c', sql: 'create table c ()' }]
  const set = { name: 'test', plugins: [plugin], migrations }
  expect(definePluginSet(set)).toBe(set)
  expect(() => definePluginSet({ ...set, plugins: [plugin, plugin] })).toThrow('two plugins for test.c')
})
