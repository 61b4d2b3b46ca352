import { encode } from '@atproto/lex-cbor'
import { parseCid } from '@atproto/lex-data'
import { readStreamEvent, type JsonObject } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { repoToEvents, type LeftOutRecord } from './repo-to-events.ts'
import type { RepoRecord, VerifiedRepo } from './verify-repo.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const cid = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a'
const base = {
  time: '2025-01-01T00:00:00.000Z',
  did,
  commit: cid,
  rev: '3lqjmnw2c2k2a',
  seq: -1,
  run: 'one',
  host: 'pds.example.com',
}
const record = (rkey: string, bytes: Uint8Array): RepoRecord => ({ collection: 'app.bsky.feed.post', rkey, cid, bytes })
const repo = (...records: RepoRecord[]): VerifiedRepo => ({ did, commit: cid, rev: base.rev, data: cid, records })

function convert(from: VerifiedRepo): { events: object[]; leftOut: LeftOutRecord[] } {
  const leftOut: LeftOutRecord[] = []
  const options = {
    host: 'https://pds.example.com',
    time: base.time,
    run: base.run,
    onLeftOut: (one: LeftOutRecord) => void leftOut.push(one),
  }
  return { events: [...repoToEvents(from, options)], leftOut }
}

describe('repoToEvents', () => {
  test('gives one create for each record, and one repo event that closes them', () => {
    const { events } = convert(repo(record('1', encode({ text: 'a' })), record('2', encode({ text: 'b' }))))
    const create = { ...base, type: 'create', collection: 'app.bsky.feed.post', cid }
    expect(events).toEqual([
      { ...create, op: 0, rkey: '1', record: { text: 'a' } },
      { ...create, op: 1, rkey: '2', record: { text: 'b' } },
      { ...base, type: 'repo', data: cid, records: 2 },
    ])
    for (const event of events) expect(() => readStreamEvent(event as JsonObject)).not.toThrow()
  })

  test('closes an empty repo as well', () => {
    expect(convert(repo()).events).toEqual([{ ...base, type: 'repo', data: cid, records: 0 }])
  })

  test('links, bytes and blobs have their JSON form, legacy blobs too (J3)', () => {
    const value = {
      link: parseCid(cid),
      bytes: new Uint8Array([1, 2, 3, 4]),
      blob: { $type: 'blob', ref: parseCid(cid), mimeType: 'image/png', size: 1 },
      legacy: { cid, mimeType: 'image/png' },
    }
    expect(convert(repo(record('1', encode(value)))).events[0]).toMatchObject({
      record: {
        link: { $link: cid },
        bytes: { $bytes: 'AQIDBA' },
        blob: { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: 1 },
        legacy: { cid, mimeType: 'image/png' },
      },
    })
  })

  test('keeps a __proto__ key as data (J4)', () => {
    const { events } = convert(repo(record('1', Buffer.from('a1695f5f70726f746f5f5fa16161f5', 'hex'))))
    expect(JSON.stringify((events[0] as { record?: unknown }).record)).toBe('{"__proto__":{"a":true}}')
  })

  test.each([
    { name: 'a fraction (J2)', hex: 'a16161fb3ff8000000000000', reason: 'bad-number' },
    {
      name: 'a whole fraction, which would change its hash (J1)',
      hex: 'a16161fb3ff0000000000000',
      reason: 'bad-number',
    },
    { name: 'an integer beyond 2^53 - 1 (J2)', hex: 'a161611b0020000000000000', reason: 'bad-number' },
    { name: 'too many levels (J8)', hex: `a16161${'81'.repeat(5000)}80`, reason: 'too-deep' },
    { name: 'a list instead of a map', hex: '80', reason: 'unrepresentable-record' },
    { name: 'no CBOR at all', hex: 'ff', reason: 'bad-cbor' },
    { name: 'more than 1,000,000 bytes', hex: '00'.repeat(1_000_001), reason: 'too-large' },
  ])('a record with $name is left out, with its older version (X9), and the others go on', ({ hex, reason }) => {
    const { events, leftOut } = convert(repo(record('1', Buffer.from(hex, 'hex')), record('2', encode({ text: 'b' }))))
    expect(events).toMatchObject([
      { ...base, type: 'delete', collection: 'app.bsky.feed.post', rkey: '1' },
      { type: 'create', rkey: '2' },
      { type: 'repo', records: 1, leftOut: 1 },
    ])
    for (const event of events) expect(() => readStreamEvent(event as JsonObject)).not.toThrow()
    expect(leftOut).toMatchObject([{ uri: `at://${did}/app.bsky.feed.post/1`, cid, error: { reason } }])
  })
})
