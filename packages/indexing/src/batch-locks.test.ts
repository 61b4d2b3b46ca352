import { lockKey } from '@millrace/database'
import { describe, expect, test } from 'vitest'
import { namesOf, readPlaces, takeLocks, type LockNames } from './batch-locks.ts'
import { defineRecordPlugin } from './plugin.ts'
import type { PutOp, RecordOp } from './record-op.ts'
import { untypedRecord } from './record-type.ts'

/** Notes about other notes: each depends on the one that it is about. */
const notes = defineRecordPlugin({
  collection: untypedRecord('test.millrace.note'),
  table: 'note',
  toRow: ({ uri }) => ({ uri }),
  locks: ({ uri }) => [uri],
  sharedLocks: ({ record }) => [record['about'] as string],
  lockColumns: ['uri', 'about'],
  referredBy: 'about',
})

function put(uri: string, about: string): RecordOp {
  const place = { uri, did: 'did:plc:a', collection: 'test.millrace.note', rkey: uri, rev: '', indexedAt: '', cid: '' }
  return {
    ...place,
    action: 'put',
    plugin: notes,
    json: '',
    row: null,
    context: { ...place, record: { about } },
  } satisfies PutOp
}

describe('names of locks', () => {
  test.each<{ name: string; ops: RecordOp[]; places: { record: string; [column: string]: unknown }[]; names: object }>([
    {
      name: 'a new record shares what it depends on',
      ops: [put('new', 'old')],
      places: [],
      names: { new: true, old: false },
    },
    {
      name: 'one that is stored has it alone, and what it depended on',
      ops: [put('new', 'old')],
      places: [{ record: 'new', uri: 'new', about: 'older' }],
      names: { new: true, old: true, older: true },
    },
    {
      name: 'one that others refer to has it alone',
      ops: [put('new', 'old')],
      places: [{ record: 'new' }],
      names: { new: true, old: true },
    },
    {
      name: 'what one of a batch changes it has alone, whichever comes first',
      ops: [put('a', 'b'), put('b', 'c'), put('d', 'b')],
      places: [],
      names: { a: true, b: true, c: false, d: true },
    },
    {
      name: 'a record that goes has the names in its row',
      ops: [{ ...put('new', 'old'), action: 'remove' } as RecordOp],
      places: [{ record: 'new', uri: 'new', about: null }],
      names: { new: true },
    },
  ])('$name', ({ ops, places, names }) => expect(Object.fromEntries(namesOf(ops, [places]))).toEqual(names))

  test('are asked for where they are stored', () => {
    expect(readPlaces([put('a', 'b'), put('b', 'c')])).toEqual([
      {
        text: 'select "uri" as record, "uri", "about" from "note" where "uri" = any ($1::text[])',
        values: [['a', 'b']],
      },
      {
        text: 'select record from unnest($1::text[]) as record where exists (select 1 from "note" where "about" = record and xmin <> pg_current_xact_id()::xid)',
        values: [['a', 'b']],
      },
    ])
    expect(readPlaces([])).toEqual([])
  })
})

describe('locks', () => {
  const keysOf = (...takes: Parameters<typeof takeLocks>): unknown => takeLocks(...takes).values[0]
  const shared = (...names: string[]): LockNames => new Map(names.map((name) => [name, false]))

  test('locks are taken in one order, whatever order they are asked for in (X3)', () => {
    const names = ['did:plc:a', 'did:plc:b', 'did:plc:c', 'did:plc:d', 'did:plc:e', 'did:plc:f']
    const keys = keysOf(names)
    expect(new Set(keys as bigint[]).size).toBe(names.length)
    expect(keysOf(names.toReversed())).toEqual(keys)
    expect(keysOf([], shared(...names))).toEqual(keys)
  })

  test('those of repos come before those of names, and are always had alone (X3)', () => {
    const [a, b] = ['did:plc:a', 'did:plc:b'].map((did) => lockKey('repo', did)).sort((x, y) => (x < y ? -1 : 1))
    const names = ['one', 'two', 'three'].map((name) => lockKey('repo', name)).sort((x, y) => (x < y ? -1 : 1))
    expect(
      takeLocks(['did:plc:a', 'did:plc:b'], new Map([...shared('one', 'did:plc:a', 'three'), ['two', true]])).values,
    ).toEqual([
      [a, b, ...names],
      [true, true, ...names.map((name) => name === lockKey('repo', 'two'))],
    ])
  })
})
