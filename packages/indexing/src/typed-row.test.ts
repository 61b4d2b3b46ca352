import { describe, expect, test } from 'vitest'
import { defineRecordPlugin, type Part, type RecordContext, type Row } from './plugin.ts'
import { InvalidRecordError, untypedRecord } from './record-type.ts'
import type { TableShapes } from './table-shape.ts'
import { typedRow } from './typed-row.ts'

const types = new Map([
  ['uri', 'text'],
  ['key', 'text'],
  ['text', 'text'],
  ['list', 'jsonb'],
])
const shapes: TableShapes = new Map([
  ['thing', { types, indexed: new Set(['uri', 'key']), unique: [['uri']], keys: [] }],
  ['thing_part', { types, indexed: new Set(['key', 'text']), unique: [], keys: [['key', 'text']] }],
])
const context: RecordContext<unknown> = {
  uri: 'at://did:plc:a/test.c/1',
  cid: 'c1',
  did: 'did:plc:a',
  rkey: '1',
  record: {},
  indexedAt: '',
}
const rowOf = (cells: Row, parts: Part<never>[] = []): Row | null => {
  const plugin = defineRecordPlugin({
    collection: untypedRecord('test.c'),
    table: 'thing',
    toRow: ({ uri }) => ({ uri, ...cells }),
    parts: parts as Part<unknown>[],
  })
  return typedRow(plugin, context, shapes)
}

describe('an indexed text has at most 2,000 bytes (J6, X21)', () => {
  test.each([
    ['2,000 of one byte', 'a'.repeat(2_000)],
    ['1,000 of two', 'é'.repeat(1_000)],
    ['500 of four', '🦋'.repeat(500)],
  ])('%s fit', (_name, key) => expect(rowOf({ key })).toEqual({ uri: context.uri, key }))

  test.each([
    ['2,001 of one byte', 'a'.repeat(2_001)],
    ['1,001 of two', 'é'.repeat(1_001)],
    ['501 of four', '🦋'.repeat(501)],
  ])('%s make the record invalid', (_name, key) => expect(() => rowOf({ key })).toThrow(InvalidRecordError))

  test('text that no index covers is as long as it likes', () => {
    expect(rowOf({ text: 'a'.repeat(100_000) })).toEqual({ uri: context.uri, text: 'a'.repeat(100_000) })
  })

  test('the rows beside the main one have the same limit', () => {
    const partOf = (key: string): Part<never> => ({ table: 'thing_part', owner: 'uri', toRows: () => [{ key }] })
    expect(rowOf({}, [partOf('a'.repeat(2_000))])).toEqual({ uri: context.uri })
    expect(() => rowOf({}, [partOf('a'.repeat(2_001))])).toThrow(InvalidRecordError)
  })
})

describe('texts that share a key of an index have at most 2,600 bytes together (J6, X21)', () => {
  const partOf = (cells: Row): Part<never> => ({ table: 'thing_part', owner: 'uri', toRows: () => [cells] })

  test.each([
    ['2,600', { key: 'a'.repeat(2_000), text: 'b'.repeat(600) }],
    ['one alone', { key: 'a'.repeat(2_000), text: null }],
  ])('%s fit', (_name, cells) => expect(rowOf({}, [partOf(cells)])).toEqual({ uri: context.uri }))

  test.each([
    ['2,601', { key: 'a'.repeat(2_000), text: 'b'.repeat(601) }],
    ['2,602 of two', { key: 'é'.repeat(1_000), text: 'é'.repeat(301) }],
  ])('%s make the record invalid', (_name, cells) =>
    expect(() => rowOf({}, [partOf(cells)])).toThrow(InvalidRecordError),
  )
})

test('text is made storable in every column (J5)', () => {
  expect(rowOf({ key: 'a\u0000', text: '\uD83E' })).toEqual({ uri: context.uri, key: 'a\uFFFD', text: '\uFFFD' })
})

test('and so is JSON (J5)', () => {
  expect(rowOf({ list: JSON.stringify(['a\u0000', '\uD83E']) })).toEqual({
    uri: context.uri,
    list: '["a\uFFFD","\uFFFD"]',
  })
})

test('a record under another key than its plugin names has no row', () => {
  const plugin = defineRecordPlugin({
    collection: untypedRecord('test.c'),
    rkey: 'self',
    table: 'thing',
    toRow: ({ uri }) => ({ uri }),
  })
  expect(typedRow(plugin, context, shapes)).toBeNull()
  expect(typedRow(plugin, { ...context, rkey: 'self' }, shapes)).toEqual({ uri: context.uri })
})
