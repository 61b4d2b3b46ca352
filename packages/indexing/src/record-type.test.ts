import { Lexicons } from '@atproto/lexicon'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { InvalidRecordError, recordType, untypedRecord, type RecordType } from './record-type.ts'

const lexicons = new Lexicons([
  {
    lexicon: 1,
    id: 'test.millrace.thing',
    defs: {
      main: {
        type: 'record',
        key: 'tid',
        record: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string', maxLength: 5 }, picture: { type: 'blob' }, link: { type: 'cid-link' } },
        },
      },
    },
  },
])
const thing = recordType<{ name: string; picture?: { ref: object } }>('test.millrace.thing', lexicons)
const $type = 'test.millrace.thing'
const $link = 'bafkreih4vlhyr6tlqowf3mrq5ludejwqy3ynu7xdufsfqgh3mmfhx47vmi'

test('a collection without a lexicon is a mistake of ours', () => {
  expect(() => recordType('test.millrace.other', lexicons)).toThrow('test.millrace.other')
})

describe('a lexicon of one’s own', () => {
  const strongRef = {
    lexicon: 1,
    id: 'com.atproto.repo.strongRef',
    defs: { main: { type: 'object', required: ['uri'], properties: { uri: { type: 'string', format: 'at-uri' } } } },
  } as const
  const note = {
    lexicon: 1,
    id: 'test.millrace.note',
    defs: {
      main: {
        type: 'record',
        key: 'tid',
        record: {
          type: 'object',
          required: ['text'],
          properties: {
            text: { type: 'string', maxGraphemes: 1 },
            about: { type: 'ref', ref: 'com.atproto.repo.strongRef' },
            parts: { type: 'array', items: { type: 'union', refs: ['#part'] } },
          },
        },
      },
      part: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
    },
  } as const
  const notes = recordType(note, [strongRef])
  const $type = 'test.millrace.note'

  test('gives its records and their type', () => {
    const record = notes.parse({ $type, text: '👨‍👩‍👧', about: { uri: 'at://did:plc:alice/a.b.c/d' } })
    expect(record.about?.uri).toBe('at://did:plc:alice/a.b.c/d')
    expectTypeOf(record.text).toEqualTypeOf<string>()
    expectTypeOf(recordType<{ mine: 1 }>('test.millrace.thing', lexicons)).toEqualTypeOf<RecordType<{ mine: 1 }>>()
  })

  test.each([
    ['more than it allows', { text: 'ab' }],
    ['a reference that is none', { text: 'a', about: { uri: 'nonsense' } }],
    ['a part that is none', { text: 'a', parts: [{ $type: 'test.millrace.note#part' }] }],
    ['a part whose type is no name (X9)', { text: 'a', parts: [{ $type: 'test.millrace.note#part#' }] }],
  ])('refuses %s', (_name, fields) => {
    expect(() => notes.parse({ $type, ...fields })).toThrow(InvalidRecordError)
  })

  test('keeps parts of types that it does not name', () => {
    expect(notes.parse({ $type, text: 'a', parts: [{ $type: 'test.other#part' }] }).parts).toHaveLength(1)
  })

  test('may be used again: it is left as it is', () => {
    expect(note.defs.main.record.properties.parts.items.refs).toEqual(['#part'])
    expect(recordType(note, [strongRef]).collection).toBe('test.millrace.note')
  })

  const withFields = (properties: { [name: string]: { type: string; ref?: string } }) => ({
    lexicon: 1 as const,
    id: 'test.millrace.note',
    defs: { main: { type: 'record' as const, record: { type: 'object' as const, properties } } },
  })

  test('is refused with the names of what it refers to and nobody gave', () => {
    expect(() => recordType(note)).toThrow(
      'lexicon of test.millrace.note refers to what is not given with it: com.atproto.repo.strongRef',
    )
    expect(() => recordType(withFields({ it: { type: 'ref', ref: '#it' } }))).toThrow('test.millrace.note#it')
  })

  test('is refused with the place where it is no lexicon', () => {
    expect(() => recordType(withFields({ text: { type: 'strong' } }))).toThrow(
      'not a lexicon document: test.millrace.note: defs.main.record.properties.text.type: ',
    )
  })
})

describe('checking is lenient where readers are', () => {
  test.each([
    ['unknown fields', { $type, name: 'a', more: [1], $odd: {} }],
    ['a blob', { $type, name: 'a', picture: { $type: 'blob', ref: { $link }, mimeType: 'image/png', size: 1 } }],
    ['a blob of the first days (J3)', { $type, name: 'a', picture: { cid: $link, mimeType: 'image/png' } }],
    ['keys that objects have by birth (J4)', JSON.parse(`{"$type":"${$type}","name":"a","constructor":1}`) as object],
  ])('%s', (_name, json) => expect(thing.parse({ ...json }).name).toBe('a'))
})

describe('what a lexicon forbids is no record (X9, J12)', () => {
  test.each([
    ['another type', { $type: 'test.millrace.other', name: 'a' }],
    ['no type', { name: 'a' }],
    ['a required field missing', { $type }],
    ['a field of another type', { $type, name: 1 }],
    ['a text that is too long', { $type, name: 'abcdef' }],
    ['a link that is no CID', { $type, name: 'a', link: { $link: 'nonsense' } }],
  ])('%s', (_name, json) => expect(() => thing.parse(json)).toThrow(InvalidRecordError))
})

test('a collection without rules takes any object', () => {
  expect(untypedRecord('test.c').parse({ anything: 1 })).toEqual({ anything: 1 })
})

test.each([thing, untypedRecord($type)])('a record that no reader takes for data is none (J4)', (type) => {
  const json = JSON.parse(`{"$type":"${$type}","name":"a","more":[{"__proto__":{"a":1}}]}`) as { name: string }
  expect(() => type.parse(json)).toThrow('not atproto data')
})
