import { Lexicons } from '@atproto/lexicon'
import { describe, expect, test } from 'vitest'
import { InvalidRecordError, recordType, untypedRecord } from './record-type.ts'

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
