import { describe, expect, test } from 'vitest'
import { decideOp, type Decision } from './decide.ts'
import type { RecordOp, StoredState } from './record-op.ts'

const uri = 'at://did:plc:a/test.c/1'
const place = { uri, did: 'did:plc:a', collection: 'test.c', rkey: '1', indexedAt: '', plugin: undefined }
const put = (rev: string, cid: string): RecordOp => ({
  ...place,
  action: 'put',
  rev,
  cid,
  json: '{}',
  context: { uri, cid, did: place.did, rkey: '1', record: {}, indexedAt: '' },
  row: null,
})
const remove = (rev: string): RecordOp => ({ ...place, action: 'remove', rev })

interface Stored {
  record?: { rev: string | null; cid: string }
  tombstone?: string
  /** Of a version that was refused. */
  refused?: string
  floor?: string
}
const state = ({ record, refused, tombstone = refused, floor }: Stored): StoredState => ({
  records: new Map(record && [[uri, record]]),
  tombstones: new Map(tombstone === undefined ? [] : [[uri, tombstone]]),
  refused: new Set(refused === undefined ? [] : [uri]),
  floors: new Map(floor === undefined ? [] : [[place.did, floor]]),
})

const apply: Decision = { do: 'apply' }
const raise: Decision = { do: 'raise' }
const nothing = (outcome: 'stale' | 'duplicate' | 'equivocation'): Decision => ({ do: 'nothing', outcome })

describe('the op rule, line by line (G6)', () => {
  test.each<{ name: string; op: RecordOp; stored: Stored; expected: Decision }>([
    { name: 'below the floor', op: put('r4', 'c1'), stored: { floor: 'r5' }, expected: nothing('stale') },
    { name: 'at the floor', op: remove('r5'), stored: { floor: 'r5' }, expected: nothing('stale') },
    { name: 'above the floor', op: put('r6', 'c1'), stored: { floor: 'r5' }, expected: apply },
    { name: 'nothing stored', op: put('r5', 'c1'), stored: {}, expected: apply },
    { name: 'a deletion of what was never seen (G7)', op: remove('r5'), stored: {}, expected: apply },
    {
      name: 'older than the record',
      op: put('r4', 'c2'),
      stored: { record: { rev: 'r5', cid: 'c1' } },
      expected: nothing('stale'),
    },
    { name: 'older than the deletion', op: put('r4', 'c2'), stored: { tombstone: 'r5' }, expected: nothing('stale') },
    {
      name: 'an older deletion',
      op: remove('r4'),
      stored: { record: { rev: 'r5', cid: 'c1' } },
      expected: nothing('stale'),
    },
    {
      name: 'the same again',
      op: put('r5', 'c1'),
      stored: { record: { rev: 'r5', cid: 'c1' } },
      expected: nothing('duplicate'),
    },
    { name: 'the same deletion again', op: remove('r5'), stored: { tombstone: 'r5' }, expected: nothing('duplicate') },
    {
      name: 'another content at the same revision',
      op: put('r5', 'c2'),
      stored: { record: { rev: 'r5', cid: 'c1' } },
      expected: nothing('equivocation'),
    },
    {
      name: 'a deletion at the revision of the record',
      op: remove('r5'),
      stored: { record: { rev: 'r5', cid: 'c1' } },
      expected: nothing('equivocation'),
    },
    {
      name: 'a record at the revision of its deletion',
      op: put('r5', 'c1'),
      stored: { tombstone: 'r5' },
      expected: nothing('equivocation'),
    },
    {
      name: 'a version that was refused, once it is none (G9)',
      op: put('r5', 'c1'),
      stored: { refused: 'r5' },
      expected: apply,
    },
    {
      name: 'a version of a snapshot that was refused, once it is none (G9)',
      op: put('r5', 'c1'),
      stored: { refused: 'r5', floor: 'r5' },
      expected: apply,
    },
    {
      name: 'older than the version that was refused',
      op: put('r4', 'c1'),
      stored: { refused: 'r5' },
      expected: nothing('stale'),
    },
    { name: 'a deletion of what was refused', op: remove('r6'), stored: { refused: 'r5' }, expected: apply },
    { name: 'refused again', op: remove('r5'), stored: { refused: 'r5' }, expected: nothing('duplicate') },
    { name: 'newer content', op: put('r6', 'c2'), stored: { record: { rev: 'r5', cid: 'c1' } }, expected: apply },
    { name: 'a newer deletion', op: remove('r6'), stored: { record: { rev: 'r5', cid: 'c1' } }, expected: apply },
    { name: 'back after a deletion', op: put('r6', 'c1'), stored: { tombstone: 'r5' }, expected: apply },
    { name: 'deleted again, later', op: remove('r6'), stored: { tombstone: 'r5' }, expected: apply },
    {
      name: 'the same content at a newer revision',
      op: put('r6', 'c1'),
      stored: { record: { rev: 'r5', cid: 'c1' } },
      expected: raise,
    },
    {
      name: 'a row of an older pipeline without revision, confirmed',
      op: put('r1', 'c1'),
      stored: { record: { rev: null, cid: 'c1' } },
      expected: raise,
    },
    {
      name: 'a row of an older pipeline without revision, changed',
      op: put('r1', 'c2'),
      stored: { record: { rev: null, cid: 'c1' } },
      expected: apply,
    },
    {
      name: 'a row of an older pipeline without revision, deleted',
      op: remove('r1'),
      stored: { record: { rev: null, cid: 'c1' } },
      expected: apply,
    },
  ])('$name', ({ op, stored, expected }) => expect(decideOp(op, state(stored))).toEqual(expected))
})
