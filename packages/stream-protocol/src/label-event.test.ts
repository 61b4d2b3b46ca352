import { describe, expect, test } from 'vitest'
import { InvalidEventError } from './errors.ts'
import { labelEventCodec, type LabelEvent } from './label-event.ts'

const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const cts = '2025-10-14T00:00:00.000Z'
const label = { src: 'did:plc:labeler', uri: 'did:plc:alice', val: 'spam', cts }
const uri = 'at://did:plc:alice/app.bsky.feed.post/3l2'

function decodeError(value: unknown): unknown {
  try {
    labelEventCodec.decode(typeof value === 'string' ? value : JSON.stringify(value))
  } catch (error) {
    return error
  }
  throw new Error(`decoded: ${JSON.stringify(value)}`)
}

test.for<{ name: string; event: LabelEvent }>([
  { name: 'an account', event: { type: 'label', label } },
  { name: 'a record', event: { type: 'label', label: { ...label, ver: 1, uri, exp: cts } } },
  { name: 'a version of a record', event: { type: 'label', label: { ...label, uri, cid } } },
  { name: 'taking back', event: { type: 'label', label: { ...label, neg: true } } },
  {
    name: 'one with its place',
    event: { type: 'label', label: { ...label, neg: false }, seq: 5, host: 'mod.example', epoch: 1 },
  },
])('a label of $name goes through a stream and comes back the same', ({ event }) => {
  expect(labelEventCodec.decode(labelEventCodec.encode(event))).toEqual(event)
})

test.for([
  { name: 'as Node writes a buffer', sig: { type: 'Buffer', data: [1, 2, 255] } },
  { name: 'as atproto JSON', sig: { $bytes: 'AQI' } },
  { name: 'as text', sig: 'AQI' },
  { name: 'as nothing', sig: null },
])('a signature $name is passed over', ({ sig }) => {
  const text = JSON.stringify({ type: 'label', label: { ...label, sig } })
  expect(labelEventCodec.decode(text)).toEqual({ type: 'label', label })
})

test('null stands for absent', () => {
  const text = JSON.stringify({ type: 'label', label: { ...label, cid: null, neg: null, exp: null, ver: null } })
  expect(labelEventCodec.decode(text)).toEqual({ type: 'label', label })
})

test('properties that we do not know are passed over', () => {
  const text = JSON.stringify({ type: 'label', version: 2, label: { ...label, weight: 0.5 } })
  expect(labelEventCodec.decode(text)).toEqual({ type: 'label', label })
})

describe('limits', () => {
  test.for([
    { name: 'val of 128 bytes', field: 'val', value: 'é'.repeat(64) },
    { name: 'uri of 8192 bytes', field: 'uri', value: uri.padEnd(8192, 'x') },
  ])('$name is taken', ({ field, value }) => {
    const event = labelEventCodec.decode(JSON.stringify({ type: 'label', label: { ...label, [field]: value } }))
    expect(event.label).toMatchObject({ [field]: value })
  })

  test.for([
    { name: 'val of 129 bytes', field: 'val', value: `${'é'.repeat(64)}x` },
    { name: 'empty val', field: 'val', value: '' },
    { name: 'uri of 8193 bytes', field: 'uri', value: uri.padEnd(8193, 'x') },
    { name: 'uri of the web', field: 'uri', value: 'https://example.com' },
    { name: 'src that is no DID', field: 'src', value: 'mod.example' },
    { name: 'cts that is no text', field: 'cts', value: 5 },
    { name: 'neg that is no boolean', field: 'neg', value: 'true' },
    { name: 'cid that is no text', field: 'cid', value: { $link: cid } },
    { name: 'ver that is no integer', field: 'ver', value: 1.5 },
    { name: 'exp that is no text', field: 'exp', value: 5 },
  ])('$name is rejected by that name', ({ field, value }) => {
    const error = decodeError({ type: 'label', label: { ...label, [field]: value } })
    expect(error).toBeInstanceOf(InvalidEventError)
    expect(error).toMatchObject({ reason: `bad-${field}` })
  })
})

test.for([
  { value: 'garbage', reason: 'bad-json' },
  { value: '[]', reason: 'bad-json' },
  { value: {}, reason: 'unknown-type' },
  { value: { type: 'create' }, reason: 'unknown-type' },
  { value: { type: 'label' }, reason: 'bad-label' },
  { value: { type: 'label', label: [] }, reason: 'bad-label' },
  { value: { type: 'label', label, seq: '5' }, reason: 'bad-seq' },
])('$value is rejected as $reason (S20)', ({ value, reason }) => {
  const error = decodeError(value)
  expect(error).toBeInstanceOf(InvalidEventError)
  expect(error).toMatchObject({ reason })
})
