import { expect, test } from 'vitest'
import { recordType, untypedRecord } from '../record-type.ts'
import { invalidVersions } from './invalid-versions.ts'

const record = { $type: 'test.millrace.note', text: 'a', lang: 'en' }

test('a record without what it has to have, or of another type, is none', () => {
  const notes = recordType({
    lexicon: 1,
    id: 'test.millrace.note',
    defs: {
      main: {
        type: 'record',
        record: { type: 'object', required: ['text'], properties: { text: { type: 'string' } } },
      },
    },
  })
  expect(invalidVersions(notes, record)).toEqual([
    { $type: 'test.millrace.otherType', text: 'a', lang: 'en' },
    { text: 'a', lang: 'en' },
    { $type: 'test.millrace.note', lang: 'en' },
  ])
})

test('where anything is a record there are none', () => {
  expect(invalidVersions(untypedRecord('test.millrace.note'), record)).toEqual([])
})
