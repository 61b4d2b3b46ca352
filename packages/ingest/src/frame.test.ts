import { encode } from '@atproto/lex-cbor'
import { describe, expect, test } from 'vitest'
import { decodeFrame, MAX_FRAME_BYTES } from './frame.ts'
import { accountFrame, alice, encodeFrame, errorFrame, infoFrame, now } from './test-support/repos.ts'

const reasonOf = (bytes: Uint8Array) => {
  try {
    decodeFrame(bytes)
  } catch (error) {
    return (error as { reason: string }).reason
  }
  return 'none'
}
/** An account frame of exactly so many bytes. */
const sized = (bytes: number) => {
  const rest = accountFrame(1, { padding: new Uint8Array(70_000) }).length - 70_000
  return accountFrame(1, { padding: new Uint8Array(bytes - rest) })
}

describe('decodeFrame', () => {
  test.each([
    {
      name: 'a message has its sequence number and its body',
      bytes: accountFrame(7),
      frame: { type: 'account', seq: 7, body: { seq: 7, did: alice, time: now, active: true } },
    },
    {
      name: 'a type may carry the name of its lexicon',
      bytes: encodeFrame({ op: 1, t: 'com.atproto.sync.subscribeRepos#identity' }, { seq: 1 }),
      frame: { type: 'identity', seq: 1, body: { seq: 1 } },
    },
    {
      name: 'an #info has a name and no sequence number (I8)',
      bytes: infoFrame('OutdatedCursor'),
      frame: { type: 'info', name: 'OutdatedCursor', message: '' },
    },
    {
      name: 'op -1 is an error frame: op is signed (I11)',
      bytes: errorFrame('FutureCursor'),
      frame: { type: 'error', error: 'FutureCursor', message: 'says the host' },
    },
    {
      name: 'an error frame without a name is still one',
      bytes: encodeFrame({ op: -1 }, {}),
      frame: { type: 'error', error: 'Unknown', message: '' },
    },
    {
      name: 'an unknown type is no error (I11)',
      bytes: encodeFrame({ op: 1, t: '#tombstone' }, { seq: 3 }),
      frame: { type: 'unknown', op: 1, t: '#tombstone' },
    },
    {
      name: 'an unknown op is no error (I11)',
      bytes: encodeFrame({ op: 2, t: '#commit' }, { seq: 3 }),
      frame: { type: 'unknown', op: 2, t: '#commit' },
    },
    {
      name: 'the body of an unknown type may be anything',
      bytes: Buffer.concat([encode({ op: 1, t: '#new' }), Buffer.from([0xfb])]),
      frame: { type: 'unknown', op: 1, t: '#new' },
    },
  ])('$name', ({ bytes, frame }) => expect(decodeFrame(bytes)).toEqual(frame))

  test.each([
    { name: 'nothing', bytes: Buffer.alloc(0), reason: 'bad-cbor' },
    { name: 'text', bytes: Buffer.from('{"seq":1}'), reason: 'bad-cbor' },
    { name: 'a header that is no map', bytes: Buffer.from([1, 0xa0]), reason: 'bad-frame' },
    { name: 'a header without op', bytes: encodeFrame({ t: '#commit' }, { seq: 1 }), reason: 'bad-frame' },
    { name: 'a header alone', bytes: Buffer.from(encode({ op: 1, t: '#commit' })), reason: 'bad-frame' },
    { name: 'a body that is no map', bytes: encodeFrame({ op: 1, t: '#commit' }, []), reason: 'bad-frame' },
    { name: 'bytes after the body', bytes: Buffer.concat([accountFrame(1), Buffer.from([0])]), reason: 'bad-frame' },
    { name: 'a body that is cut off', bytes: accountFrame(1).subarray(0, -1), reason: 'bad-cbor' },
    { name: 'no sequence number (I6)', bytes: encodeFrame({ op: 1, t: '#account' }, {}), reason: 'bad-seq' },
    { name: 'sequence number 0 (I6)', bytes: accountFrame(0), reason: 'bad-seq' },
    { name: 'a negative sequence number (I6)', bytes: accountFrame(-1), reason: 'bad-seq' },
  ])('refuses $name', ({ bytes, reason }) => expect(reasonOf(bytes)).toBe(reason))

  test('5,000,000 bytes pass, one more does not', () => {
    expect(sized(MAX_FRAME_BYTES).length).toBe(MAX_FRAME_BYTES)
    expect(reasonOf(sized(MAX_FRAME_BYTES))).toBe('none')
    expect(reasonOf(sized(MAX_FRAME_BYTES + 1))).toBe('too-large')
  })

  test('a body of 200,000 levels is refused, not run into (J8)', () => {
    const levels = Buffer.concat([Buffer.alloc(200_000, 0x81), Buffer.from([0x80])])
    expect(reasonOf(Buffer.concat([encode({ op: 1, t: '#commit' }), levels]))).toBe('too-deep')
  })
})
