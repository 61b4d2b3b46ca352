import { decodeFrame, frameToEvents } from '@millrace/ingest'
import { encode, type LexValue } from '@atproto/lex-cbor'
import { cidForCbor, parseCid, type Cid } from '@atproto/lex-data'
import { BlockMap } from '@atproto/repo'
import { streamEventCodec } from '@millrace/stream-protocol'
import { describe, expect, test } from 'vitest'
import { textsOf } from './entry-chunk.ts'
import { LocalRepo } from './local-repo.ts'
import { addNode, did, makeRepo, rev, signingKey } from './testing/make-repo.ts'
import { verifyRepo } from './verify-repo.ts'

const collection = 'app.bsky.feed.post'
const rkey = '3lqjmnw2c2k2a'
const path = `${collection}/${rkey}`
const time = '2025-01-01T00:00:00.000Z'
const host = 'pds.example.com'
const link = parseCid('bafyreigtn62brtkskorw6gd3i37ctvcheylxy3bgi66xhvula277kaqieq')
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const nested = (levels: number): Buffer => hex(`a1 6161 ${'81'.repeat(levels - 2)}80`)

/** What became of a record: its JSON as text, so that order and `__proto__` keys count, or why it was refused. */
type Verdict = { cid: string; json: string } | { reason: string; message: string }

/** One commit that creates one record, as the firehose brings it. */
async function live(car: Uint8Array, commit: Cid, cid: Cid): Promise<Verdict> {
  const body = {
    seq: 1,
    repo: did,
    rev,
    since: null,
    time,
    commit,
    blocks: car,
    blobs: [],
    tooBig: false,
    rebase: false,
  }
  const ops = [{ action: 'create', path, cid }]
  const frame = Buffer.concat([encode({ op: 1, t: '#commit' }), encode({ ...body, ops } as LexValue)])
  const { events, rejected, reason, error } = frameToEvents(decodeFrame(frame), { host })
  const [refused] = rejected
  if (refused) return { reason: refused.reason, message: refused.error }
  const [event] = events
  return event?.type === 'create'
    ? { cid: event.cid, json: JSON.stringify(event.record) }
    : { reason: String(reason), message: String(error) }
}

/** The same repo, fetched whole. */
async function backfilled(car: Uint8Array): Promise<Verdict> {
  const repo = await verifyRepo(LocalRepo.of(car), { did, signingKey })
  for await (const chunk of repo.entries({ host, time, run: 'one' })) {
    const [refused] = chunk.leftOut
    if (refused) return { reason: refused.reason, message: refused.error }
    const event = streamEventCodec.decode(textsOf(chunk)[0]!)
    if (event.type === 'create') return { cid: event.cid, json: JSON.stringify(event.record) }
  }
  throw new Error('neither an event nor left out')
}

describe('a record that came with the firehose and the same one that came with its repo (G5)', () => {
  const cases: { name: string; block: Uint8Array; expected: string | { reason: string } }[] = [
    { name: 'a plain one', block: encode({ text: 'a' }), expected: '{"text":"a"}' },
    { name: 'an empty map', block: hex('a0'), expected: '{}' },
    {
      name: 'a whole number as a fraction (J1)',
      block: hex('a1 6161 fb3ff0000000000000'),
      expected: { reason: 'bad-number' },
    },
    { name: 'a fraction (J2)', block: hex('a1 6161 fb3ff8000000000000'), expected: { reason: 'bad-number' } },
    { name: 'minus zero', block: hex('a1 6161 fb8000000000000000'), expected: { reason: 'bad-number' } },
    { name: 'unsorted keys (J7)', block: hex('a2 6162 01 6161 02'), expected: { reason: 'bad-cbor' } },
    { name: 'a key twice (J7)', block: hex('a2 6161 01 6161 02'), expected: { reason: 'bad-cbor' } },
    { name: 'an integer longer than needed (J7)', block: hex('a1 6161 1817'), expected: { reason: 'bad-cbor' } },
    { name: 'a text of indefinite length (J7)', block: hex('a1 6161 7f6161ff'), expected: { reason: 'bad-cbor' } },
    { name: 'an unknown tag (J7)', block: hex('a1 6161 c100'), expected: { reason: 'bad-cbor' } },
    { name: 'bytes left over (J7)', block: hex('a0 00'), expected: { reason: 'bad-cbor' } },
    { name: 'nothing', block: hex(''), expected: { reason: 'bad-cbor' } },
    { name: 'undefined (J2)', block: hex('a1 6161 f7'), expected: { reason: 'bad-cbor' } },
    { name: '2^53 - 1', block: hex('a1 6161 1b001fffffffffffff'), expected: '{"a":9007199254740991}' },
    { name: '-(2^53 - 1)', block: hex('a1 6161 3b001ffffffffffffe'), expected: '{"a":-9007199254740991}' },
    { name: '2^53 (J2)', block: hex('a1 6161 1b0020000000000000'), expected: { reason: 'bad-number' } },
    {
      name: 'the largest integer of CBOR (J2)',
      block: hex('a1 6161 1bffffffffffffffff'),
      expected: { reason: 'bad-number' },
    },
    {
      name: 'a link',
      block: encode({ a: link }),
      expected: `{"a":{"$link":"${link}"}}`,
    },
    { name: 'a link that is no CID', block: hex('a1 6161 d82a 43 000102'), expected: { reason: 'bad-cbor' } },
    { name: 'bytes (J3)', block: encode({ a: new Uint8Array([1, 2, 3, 4]) }), expected: '{"a":{"$bytes":"AQIDBA"}}' },
    {
      name: 'a blob (J3)',
      block: encode({ a: { $type: 'blob', ref: link, mimeType: 'image/png', size: 7 } }),
      expected: `{"a":{"ref":{"$link":"${link}"},"size":7,"$type":"blob","mimeType":"image/png"}}`,
    },
    {
      name: 'a legacy blob (J3)',
      block: encode({ a: { cid: String(link), mimeType: 'image/png' } }),
      expected: `{"a":{"cid":"${link}","mimeType":"image/png"}}`,
    },
    {
      name: 'a map that looks like a link',
      block: encode({ a: { $link: 'x' } }),
      expected: { reason: 'unrepresentable-record' },
    },
    {
      name: 'a map that looks like bytes',
      block: encode({ a: { $bytes: 'AA' } }),
      expected: { reason: 'unrepresentable-record' },
    },
    {
      name: 'a __proto__ key (J4)',
      block: hex('a1 69 5f5f70726f746f5f5f a1 65 61646d696e f5'),
      expected: '{"__proto__":{"admin":true}}',
    },
    {
      name: 'keys of Object.prototype (J4)',
      block: encode({ constructor: 1, toString: 2 }),
      expected: '{"toString":2,"constructor":1}',
    },
    { name: 'text that is not UTF-8 (J5)', block: hex('a1 6161 62c328'), expected: { reason: 'bad-utf8' } },
    { name: 'a key that is not UTF-8 (J5)', block: hex('a1 61ff 01'), expected: { reason: 'bad-utf8' } },
    { name: 'a lone surrogate (J5)', block: hex('a1 6161 63eda080'), expected: { reason: 'bad-utf8' } },
    { name: 'U+0000 (J5)', block: hex('a1 6161 6100'), expected: '{"a":"\\u0000"}' },
    { name: 'a byte order mark', block: hex('a1 6161 63efbbbf'), expected: '{"a":"\uFEFF"}' },
    { name: '64 levels (J8)', block: nested(64), expected: `{"a":${'['.repeat(63)}${']'.repeat(63)}}` },
    { name: '65 levels (J8)', block: nested(65), expected: { reason: 'too-deep' } },
    { name: '100,000 levels (J8)', block: nested(100_000), expected: { reason: 'too-deep' } },
    { name: 'a list', block: hex('80'), expected: { reason: 'unrepresentable-record' } },
    { name: 'a link alone', block: encode(link), expected: { reason: 'unrepresentable-record' } },
    { name: 'text', block: encode('text'), expected: { reason: 'unrepresentable-record' } },
    { name: '1,000,001 bytes', block: Buffer.alloc(1_000_001), expected: { reason: 'too-large' } },
  ]

  test.each(cases)('$name: the same verdict and the same JSON', async ({ block, expected }) => {
    const cid = await cidForCbor(block)
    const { car, commit } = await makeRepo({ records: { [path]: block } })
    const fromFrame = await live(car, commit, cid)
    expect(fromFrame).toMatchObject(typeof expected === 'string' ? { cid: String(cid), json: expected } : expected)
    expect(await backfilled(car)).toEqual(fromFrame)
  })
})

describe('a tree that the firehose brought and the same one in a whole repo (G5)', async () => {
  const block = encode({ text: 'a' })
  const cid = await cidForCbor(block)
  const blocks = new BlockMap([[cid, block]])
  const entry = (key: string, rest: object = {}) => ({ key, value: cid, ...rest })

  test.each<{ name: string; says: string; make: () => Promise<Cid> }>([
    { name: 'a field that no node has (J9)', says: 'not one', make: () => add({ l: null, e: [], more: 1 }) },
    {
      name: 'a field that no entry has (J9)',
      says: 'not one',
      make: () => add({ l: null, e: [{ p: 0, k: Buffer.from(path), v: cid, t: null, more: 1 }] }),
    },
    {
      name: 'a collection that is no NSID',
      says: 'not the path',
      make: () => addNode(blocks, null, [entry(path), entry('posts/1')]),
    },
    {
      name: 'a record key that is none',
      says: 'not the path',
      make: () => addNode(blocks, null, [entry(`${collection}/..`), entry(path)]),
    },
    {
      name: 'keys out of order (J9)',
      says: 'is not after',
      make: () => addNode(blocks, null, [entry(path), entry(`${collection}/2`)]),
    },
    {
      name: 'a prefix that is too short (J9)',
      says: 'cut wrongly',
      make: () => addNode(blocks, null, [entry(path), entry(`${path}b`, { prefix: 3 })]),
    },
  ])('$name: refused by both', async ({ make, says }) => {
    const data = await make()
    const { car, commit } = await makeRepo({ blocks, data })
    expect(await live(car, commit, cid)).toMatchObject({ reason: 'bad-mst', message: expect.stringContaining(says) })
    await expect(backfilled(car)).rejects.toMatchObject({ reason: 'bad-tree', message: expect.stringContaining(says) })
  })

  async function add(node: LexValue): Promise<Cid> {
    const bytes = encode(node)
    const made = await cidForCbor(bytes)
    blocks.set(made, bytes)
    return made
  }
})
