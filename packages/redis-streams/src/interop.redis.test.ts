import {
  backfillEventCodec,
  labelEventCodec,
  streamEventCodec,
  type Codec,
  type LabelEvent,
  type StreamEvent,
} from '@millrace/stream-protocol'
import { BatchReader } from '@millrace/stream-protocol/testing'
import { redisTest } from '@millrace/testing'
import { expect } from 'vitest'
import { connectRedis } from './connect.ts'
import { openRedisStreams } from './open-redis-streams.ts'

const cid = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
const like: StreamEvent = {
  type: 'create',
  record: { $type: 'app.bsky.feed.like', subject: { uri: 'at://did:plc:bob/app.bsky.feed.post/3l2', cid } },
  cid,
  seq: 101,
  time: '2025-10-14T00:00:00.000Z',
  did: 'did:plc:alice',
  commit: cid,
  rev: '3l4aaaaaaaa2a',
  collection: 'app.bsky.feed.like',
  rkey: '3l4aaaaaaaa2a',
}
const repo = { did: 'did:plc:alice', host: 'https://pds.example', rev: '3l4aaaaaaaa2a', active: true }
const label: LabelEvent = {
  type: 'label',
  label: { ver: 1, src: 'did:plc:labeler', uri: 'did:plc:alice', val: 'spam', cts: '2025-10-14T00:00:00.000Z' },
}

async function readOtherEntries<T>(redisUrl: string, codec: Codec<T>, value: T): Promise<void> {
  await using store = await openRedisStreams({ url: redisUrl })
  await using redis = await connectRedis({ url: redisUrl })
  const json = JSON.stringify(value)
  await redis.command(['XADD', 's', '*', codec.field, json])
  await redis.command(['XADD', 's', '*', 'version', '2', codec.field, json, 'host', 'relay.example'])
  await using reader = new BatchReader(store.consumer({ stream: 's', group: 'g', consumer: 'c', codec }))
  expect(await reader.events(2)).toEqual([value, value])
}

redisTest('record events that other services have added are read', async ({ redisUrl }) => {
  await readOtherEntries(redisUrl, streamEventCodec, like)
})

redisTest('repos to fetch that other services have added are read', async ({ redisUrl }) => {
  await readOtherEntries(redisUrl, backfillEventCodec, repo)
})

redisTest('labels that other services have added are read', async ({ redisUrl }) => {
  await readOtherEntries(redisUrl, labelEventCodec, label)
})

redisTest('our entries are one plain field of JSON each, under ids of the server', async ({ redisUrl }) => {
  await using store = await openRedisStreams({ url: redisUrl })
  await using redis = await connectRedis({ url: redisUrl })
  const cursor = { key: 'firehose_live:cursor:host', from: null, to: '101' }
  await store.writer({ stream: 'firehose_live', codec: streamEventCodec }).append([like, like], { cursor })
  await store.writer({ stream: 'repo_backfill', codec: backfillEventCodec }).append([repo])
  const id = expect.stringMatching(/^\d{13}-\d+$/)
  expect(await redis.command(['XRANGE', 'firehose_live', '-', '+'])).toEqual([
    [id, ['event', JSON.stringify(like)]],
    [id, ['event', JSON.stringify(like)]],
  ])
  expect(await redis.command(['XRANGE', 'repo_backfill', '-', '+'])).toEqual([[id, ['repo', JSON.stringify(repo)]]])
  expect(await redis.command(['GET', 'firehose_live:cursor:host'])).toBe('101')
})
