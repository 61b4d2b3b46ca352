import { expect, test } from 'vitest'
import { defineRecordPlugin } from './plugin.ts'
import { untypedRecord } from './record-type.ts'
import { tablesOf } from './tables-of.ts'

test('tables of a plugin are those of its rows, its parts and the counts of both, beside those of all records', () => {
  const plugin = defineRecordPlugin({
    collection: untypedRecord('test.c'),
    table: 'thing',
    toRow: ({ uri, cid, did, indexedAt }) => ({ uri, cid, creator: did, indexedAt }),
    counts: [{ table: 'thing_count', key: 'creator', column: 'things', of: 'creator' }],
    parts: [
      {
        table: 'thing_part',
        owner: 'thing',
        toRows: ({ uri }) => [{ thing: uri, n: 1 }],
        counts: [{ table: 'part_count', key: 'thing', column: 'parts', of: 'thing' }],
      },
    ],
  })
  const ofAll = ['record', 'duplicate_record', 'millrace_tombstone']
  expect([...tablesOf([plugin])]).toEqual([...ofAll, 'thing', 'thing_part', 'thing_count', 'part_count'])
})
