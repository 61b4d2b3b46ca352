import { describe, expect, test } from 'vitest'
import { InvalidEventError } from './errors.ts'
import { recordUri, streamEventCodec, type StreamEvent } from './stream-event.ts'
import { isBackfillSeq, SEQ_BACKFILL } from './streams.ts'

const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const time = '2025-10-14T00:00:00.000Z'
const rev = '3l4aaaaaaaa2a'
const commit = { seq: 101, time, did, commit: cid, rev }
const key = { collection: 'app.bsky.feed.like', rkey: '3l4bbbbbbbb2b' }
const like = {
  $type: 'app.bsky.feed.like',
  subject: { uri: `at://${did}/app.bsky.feed.post/3l2`, cid },
  createdAt: time,
}

const create: StreamEvent = { type: 'create', record: like, cid, ...commit, ...key }

const events: { name: string; event: StreamEvent }[] = [
  { name: 'a create', event: create },
  { name: 'an update', event: { type: 'update', record: like, cid, ...commit, ...key } },
  { name: 'a delete', event: { type: 'delete', ...commit, ...key } },
  { name: 'a repo without seq', event: { type: 'repo', did, rev, commit: cid, time } },
  { name: 'a sync', event: { type: 'repo', ...commit, sync: true, data: cid } },
  { name: 'an active account', event: { type: 'account', seq: 103, time, did, active: true } },
  { name: 'an account with a status', event: { type: 'account', seq: 103, time, did, active: false, status: 'new' } },
  {
    name: 'an account at a host that lost its numbers',
    event: { type: 'account', seq: 1, time, did, active: true, host: 'relay.example', epoch: 2 },
  },
  { name: 'an identity', event: { type: 'identity', seq: 104, time, did } },
  { name: 'an identity with a handle', event: { type: 'identity', seq: 104, time, did, handle: 'a.example' } },
  {
    name: 'an event of a backfill',
    event: { type: 'create', record: like, cid, ...commit, seq: SEQ_BACKFILL, ...key },
  },
  {
    name: 'a create that says where it came from',
    event: { type: 'create', record: like, cid, ...commit, ...key, host: 'relay.example', op: 0, ops: 2, since: rev },
  },
  { name: 'a create of an empty record', event: { type: 'create', record: {}, cid, ...commit, ...key } },
]

/** A record of so many levels, itself included, as text. */
const nested = (levels: number, leaf = '1'): string => `{"a":${'['.repeat(levels - 1)}${leaf}${']'.repeat(levels - 1)}}`
const createOf = (record: string): string =>
  JSON.stringify({ ...create, record: 0 }).replace('"record":0', `"record":${record}`)

test('a record of 64 levels passes, also with a link in it (J8)', () => {
  for (const record of [nested(64), nested(64, `{"$link":"${cid}"}`)])
    expect(JSON.stringify((streamEventCodec.decode(createOf(record)) as { record?: unknown }).record)).toBe(record)
})

test.for([66, 100_000])('an entry with a record of %d levels is refused, and its account known (J8)', (levels) => {
  expect(decodeError(createOf(nested(levels)))).toMatchObject({ reason: 'too-deep', did })
})

test('many containers side by side are no depth', () => {
  const record = `{"a":[${Array.from({ length: 200 }, () => '{}').join()}]}`
  expect(streamEventCodec.decode(createOf(record))).toMatchObject({ type: 'create' })
})

function decodeError(value: unknown): InvalidEventError {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  try {
    streamEventCodec.decode(text)
  } catch (error) {
    if (error instanceof InvalidEventError) return error
    throw error
  }
  throw new Error(`decoded: ${text}`)
}

test.for(events)('$name goes through a stream and comes back the same (J14)', ({ event }) => {
  expect(streamEventCodec.decode(streamEventCodec.encode(event))).toEqual(event)
})

test.for([
  `{"type":"create","record":{"$type":"app.bsky.feed.like","subject":{"uri":"at://${did}/app.bsky.feed.post/3l2","cid":"${cid}"},"createdAt":"${time}"},"cid":"${cid}","seq":101,"time":"${time}","did":"${did}","commit":"${cid}","rev":"${rev}","collection":"app.bsky.feed.like","rkey":"${rev}"}`,
  `{"type":"delete","seq":102,"time":"${time}","did":"${did}","commit":"${cid}","rev":"${rev}","collection":"app.bsky.feed.like","rkey":"${rev}"}`,
  `{"type":"repo","did":"${did}","rev":"${rev}","commit":"${cid}","time":"${time}"}`,
  `{"type":"account","seq":103,"time":"${time}","did":"${did}","active":false,"status":"deactivated"}`,
  `{"type":"identity","seq":104,"time":"${time}","did":"${did}","handle":"a.example"}`,
])('an entry of another service is read: %s', (text) => {
  expect(streamEventCodec.decode(text)).toEqual(JSON.parse(text))
})

test('the event is the one field of an entry', () => {
  expect(streamEventCodec.field).toBe('event')
})

test.for([-1, -2, -100])('seq %i says that an event comes from a whole repo', (seq) => {
  const event = streamEventCodec.decode(JSON.stringify({ ...create, seq }))
  expect(event.seq).toBe(seq)
  expect(isBackfillSeq(seq)).toBe(true)
})

test.for([0, 1, 101])('seq %i is one of a firehose', (seq) => {
  expect(isBackfillSeq(seq)).toBe(false)
})

test('properties and values that we do not know stay as they are (S19)', () => {
  const event = { ...create, version: 7, source: { id: 'x' }, record: { ...like, $new: [1, null] } }
  expect(streamEventCodec.decode(JSON.stringify(event))).toEqual(event)
})

describe('what is no event', () => {
  test.for([
    { name: 'no text', text: '' },
    { name: 'text', text: 'garbage' },
    { name: 'half an event', text: JSON.stringify(create).slice(0, 100) },
    { name: 'null', text: 'null' },
    { name: 'a number', text: '7' },
    { name: 'a string', text: '"create"' },
    { name: 'a list', text: `[${JSON.stringify(create)}]` },
  ])('$name is rejected as bad JSON (S20)', ({ text }) => {
    expect(decodeError(text)).toMatchObject({ reason: 'bad-json', did: undefined })
  })

  test.for(['', 'CREATE', 'label', 'toString', '__proto__', undefined, null, 1, ['create']])(
    'type %j is rejected as unknown, and the account is named',
    (type) => {
      expect(decodeError({ ...create, type })).toMatchObject({ reason: 'unknown-type', did })
    },
  )

  test.for([
    ['seq', [undefined, null, '101', 1.5, 2 ** 53, true]],
    ['time', [undefined, null, 5]],
    ['commit', [undefined, null, '', 'Qm123', 'bafy with space', 5]],
    ['rev', [undefined, null, '', '3l4', '1l4aaaaaaaa2a', `${rev}a`]],
    ['collection', [undefined, null, '', 'like', 'app.bsky.feed.like.', 'app/bsky']],
    ['rkey', [undefined, null, '', '.', '..', 'a/b', 'a b', 'x'.repeat(513)]],
    ['cid', [undefined, null, '', 'bafy!', { $link: cid }]],
    ['record', [undefined, null, 'text', [], 1]],
    ['host', [5, {}]],
    ['op', ['0', 0.5]],
    ['since', [7]],
  ] as const)('a create whose %s does not hold is rejected by that name', ([field, values]) => {
    for (const value of values)
      expect(decodeError({ ...create, [field]: value })).toMatchObject({
        reason: `bad-${field}`,
        did,
        message: expect.stringContaining(did),
      })
  })

  test.for([undefined, null, 5, '', 'alice.example', 'did:', 'did:plc:', 'did:PLC:abc', `did:plc:${'a'.repeat(512)}`])(
    'did %j is rejected, and no account is named',
    (value) => {
      expect(decodeError({ ...create, did: value })).toMatchObject({ reason: 'bad-did', did: undefined })
    },
  )

  test('an account that does not say whether it is active is rejected', () => {
    const account = { type: 'account', seq: 1, time, did, active: 'true' }
    expect(decodeError(account)).toMatchObject({ reason: 'bad-active', did })
  })
})

describe('keys that objects have by nature are data (J4)', () => {
  const proto = (text: string) => text.replace('"seq":101', '"seq":101,"__proto__":{"seq":-1,"host":5,"polluted":true}')

  test('an event with a key __proto__ keeps it, and its prototype', () => {
    const event = streamEventCodec.decode(proto(JSON.stringify(create)))
    expect(Object.getPrototypeOf(event)).toBe(Object.prototype)
    expect(Object.hasOwn(event, '__proto__')).toBe(true)
    expect([event.seq, event.host]).toEqual([101, undefined])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('a field inside of __proto__ does not stand for a missing one', () => {
    const text = `{"type":"identity","__proto__":{"did":"${did}","seq":1,"time":"${time}"}}`
    expect(decodeError(text)).toMatchObject({ reason: 'bad-did', did: undefined })
  })

  test('a record with such keys comes back the same', () => {
    const record = '{"$type":"x","__proto__":{"a":1},"constructor":2,"toString":null,"hasOwnProperty":[]}'
    const text = JSON.stringify(create).replace(JSON.stringify(like), record)
    expect(streamEventCodec.encode(streamEventCodec.decode(text))).toBe(text)
  })
})

test('the URI of a record is made of its account, collection and key', () => {
  expect(recordUri({ did, ...key })).toBe(`at://${did}/app.bsky.feed.like/3l4bbbbbbbb2b`)
})
