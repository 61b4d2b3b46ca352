import { encode } from '@atproto/lex-cbor'
import { parseCid } from '@atproto/lex-data'
import { Link, Slab } from '@millrace/repo-reader'
import { readStreamEvent, type JsonObject } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { textsOf, type LeftOutRecord } from './entry-chunk.ts'
import { repoEntries, type RepoHead } from './repo-entries.ts'
import { did, makeRepo, rev } from './testing/make-repo.ts'

const time = '2025-01-01T00:00:00.000Z'
const cid = 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a'
const collection = 'app.bsky.feed.post'

async function convert(
  ...blocks: Uint8Array[]
): Promise<{ events: object[]; leftOut: LeftOutRecord[]; head: RepoHead }> {
  const records = Object.fromEntries(blocks.map((block, index) => [`${collection}/${index + 1}`, block]))
  const { car, commit, data } = await makeRepo({ records })
  const head = { did, commit: String(commit), rev, data: String(data) }
  const slab = Slab.of(car)
  const chunks = [
    ...repoEntries(slab, Link.at(data.bytes, 0), head, { host: 'https://pds.example.com', time, run: 'one' }),
  ]
  return {
    events: chunks.flatMap(textsOf).map((text) => JSON.parse(text) as object),
    leftOut: chunks.flatMap((chunk) => chunk.leftOut),
    head,
  }
}

/** What all events of a repo have in common. */
const common = ({ commit }: RepoHead) => ({ time, did, commit, rev, seq: -1, run: 'one', host: 'pds.example.com' })

describe('repoEntries', () => {
  test('gives one create for each record, and one repo event that closes them', async () => {
    const { events, head } = await convert(encode({ text: 'a' }), encode({ text: 'b' }))
    const create = { ...common(head), type: 'create', collection, cid: expect.any(String) as string }
    expect(events).toEqual([
      { ...create, op: 0, rkey: '1', record: { text: 'a' } },
      { ...create, op: 1, rkey: '2', record: { text: 'b' } },
      { ...common(head), type: 'repo', data: head.data, records: 2 },
    ])
    for (const event of events) expect(() => readStreamEvent(event as JsonObject)).not.toThrow()
  })

  test('closes an empty repo as well', async () => {
    const { events, head } = await convert()
    expect(events).toEqual([{ ...common(head), type: 'repo', data: head.data, records: 0 }])
  })

  test('says of each event what asked for it', async () => {
    const { car, data } = await makeRepo({ records: { [`${collection}/1`]: encode({ text: 'a' }) } })
    const head = { did, commit: cid, rev, data: String(data) }
    const request = { repair: 7, mark: 'm', reindex: true }
    const options = { host: 'pds.example.com', time, run: 'one', request }
    const texts = [...repoEntries(Slab.of(car), Link.at(data.bytes, 0), head, options)].flatMap(textsOf)
    expect(texts.map((text) => JSON.parse(text) as object)).toMatchObject([
      { type: 'create', repair: 7, reindex: true },
      { type: 'repo', repair: 7, reindex: true, mark: 'm' },
    ])
  })

  test('gives chunks of so many entries, fewer when they are large, and the closing one alone', async () => {
    const records = Object.fromEntries(
      Array.from({ length: 7 }, (_, n) => [`${collection}/${n}`, encode({ text: 'x'.repeat(n < 3 ? 600_000 : 1) })]),
    )
    const { car, data } = await makeRepo({ records })
    const head = { did, commit: cid, rev, data: String(data) }
    const options = { host: 'pds.example.com', time, run: 'one', chunkSize: 3 }
    const chunks = [...repoEntries(Slab.of(car), Link.at(data.bytes, 0), head, options)]
    expect(chunks.map(({ ends, records, isLast }) => [ends.length, records, isLast])).toEqual([
      [2, 2, false],
      [3, 3, false],
      [2, 2, false],
      [1, 0, true],
    ])
  })

  test('records of collections that are not taken are passed by, as if the repo did not have them (I25)', async () => {
    const like = 'app.bsky.feed.like'
    const fraction = Buffer.from('a16161fb3ff8000000000000', 'hex')
    const records = {
      [`${like}/1`]: encode({ text: 'a' }),
      [`${like}/2`]: fraction,
      [`${collection}/1`]: encode({ text: 'b' }),
      [`${collection}/2`]: fraction,
      ['com.example.thing/1']: encode({ text: 'c' }),
    }
    const { car, data } = await makeRepo({ records })
    const head = { did, commit: cid, rev, data: String(data) }
    const options = { host: 'pds.example.com', time, run: 'one', collections: [collection, 'com.example.*'] }
    const chunks = [...repoEntries(Slab.of(car), Link.at(data.bytes, 0), head, options)]
    expect(chunks.flatMap(textsOf).map((text) => JSON.parse(text) as object)).toMatchObject([
      { type: 'create', op: 0, collection, rkey: '1' },
      { type: 'delete', op: 1, collection, rkey: '2' },
      { type: 'create', op: 2, collection: 'com.example.thing', rkey: '1' },
      { type: 'repo', records: 2, leftOut: 1 },
    ])
    expect(chunks.flatMap(({ leftOut }) => leftOut)).toMatchObject([{ uri: `at://${did}/${collection}/2` }])
  })

  test('links, bytes and blobs have their JSON form, legacy blobs too (J3)', async () => {
    const value = {
      link: parseCid(cid),
      bytes: new Uint8Array([1, 2, 3, 4]),
      blob: { $type: 'blob', ref: parseCid(cid), mimeType: 'image/png', size: 1 },
      legacy: { cid, mimeType: 'image/png' },
    }
    expect((await convert(encode(value))).events[0]).toMatchObject({
      record: {
        link: { $link: cid },
        bytes: { $bytes: 'AQIDBA' },
        blob: { $type: 'blob', ref: { $link: cid }, mimeType: 'image/png', size: 1 },
        legacy: { cid, mimeType: 'image/png' },
      },
    })
  })

  test('keeps a __proto__ key as data (J4)', async () => {
    const { events } = await convert(Buffer.from('a1695f5f70726f746f5f5fa16161f5', 'hex'))
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
  ])('a record with $name is left out, with its older version (X9), and the others go on', async ({ hex, reason }) => {
    const { events, leftOut, head } = await convert(Buffer.from(hex, 'hex'), encode({ text: 'b' }))
    expect(events).toMatchObject([
      { ...common(head), type: 'delete', collection, rkey: '1' },
      { type: 'create', rkey: '2' },
      { type: 'repo', records: 1, leftOut: 1 },
    ])
    for (const event of events) expect(() => readStreamEvent(event as JsonObject)).not.toThrow()
    expect(leftOut).toMatchObject([{ uri: `at://${did}/${collection}/1`, reason }])
    expect(events[0]).not.toHaveProperty('record')
  })
})
