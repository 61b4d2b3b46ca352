import {
  backfillEventCodec,
  InvalidEventError,
  labelEventCodec,
  streamEventCodec,
  type Codec,
} from '@millrace/stream-protocol'
import { isDeepStrictEqual } from 'node:util'
import { mutate } from '../mutate.ts'
import { FuzzError, type FuzzTarget } from '../target.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const cid = 'bafyreigtn62brtkskorw6gd3i37ctvcheylxy3bgi66xhvula277kaqieq'
const rev = '3lqjmnw2c2k2a'
const time = '2025-01-01T00:00:00.000Z'
const place = { seq: 7, time, did, commit: cid, rev, op: 0, ops: 1, collection: 'app.bsky.feed.post', rkey: rev }
const record = { $type: 'app.bsky.feed.post', text: 'a "word"', embed: { ref: { $link: cid }, n: [1, [2]] } }

const streams: readonly { codec: Codec<unknown>; entries: readonly object[] }[] = [
  {
    codec: streamEventCodec,
    entries: [
      { type: 'create', ...place, cid, record },
      { type: 'delete', ...place },
      { type: 'repo', seq: -1, time, did, commit: cid, rev, data: cid, records: 3, run: 'one' },
      { type: 'account', seq: 8, time, did, active: false, status: 'deleted' },
      { type: 'identity', seq: 9, time, did, handle: 'alice.test' },
    ],
  },
  { codec: backfillEventCodec, entries: [{ did, host: 'https://pds.example', rev, active: true }] },
  {
    codec: labelEventCodec,
    entries: [{ type: 'label', seq: 1, label: { ver: 1, src: did, uri: `at://${did}`, val: 'spam', cts: time } }],
  },
]

/** Entries of streams, changed. What a codec takes, it writes such that it takes the same again. */
export const streamTarget: FuzzTarget = {
  name: 'stream',
  make(random) {
    const index = random.below(streams.length)
    const text = JSON.stringify(random.pick(streams[index]!.entries))
    return Buffer.concat([
      Buffer.from([index]),
      random.chance(0.1) ? Buffer.from(text) : mutate(Buffer.from(text), random),
    ])
  },
  run(input) {
    const { codec } = streams[(input[0] ?? 0) % streams.length]!
    let event: unknown
    try {
      event = codec.decode(input.toString('utf8', 1))
    } catch (error) {
      if (error instanceof InvalidEventError) return 'refused'
      throw error
    }
    if (!isDeepStrictEqual(codec.decode(codec.encode(event)), event)) throw new FuzzError('it changes on the way')
    return 'accepted'
  },
}
