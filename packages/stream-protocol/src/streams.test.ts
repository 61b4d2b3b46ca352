import { expect, test } from 'vitest'
import { cursorKey, epochKey, groups, INGESTER_DONE, SEQ_BACKFILL, streams } from './streams.ts'

test('names that other services know are what they were', () => {
  expect(streams).toEqual({
    firehoseLive: 'firehose_live',
    firehoseBackfill: 'firehose_backfill',
    repoBackfill: 'repo_backfill',
    labelLive: 'label_live',
  })
  expect(groups).toEqual({ firehose: 'firehose_group', repoBackfill: 'repo_backfill_group', label: 'label_group' })
  expect([SEQ_BACKFILL, INGESTER_DONE]).toEqual([-1, '!ingester-done'])
})

test.for([
  { host: 'https://bsky.network', key: 'firehose_live:cursor:bsky.network' },
  { host: 'http://localhost:2583', key: 'firehose_live:cursor:localhost:2583' },
  { host: 'wss://Relay.example/', key: 'firehose_live:cursor:Relay.example/' },
  { host: 'relay.example/path', key: 'firehose_live:cursor:relay.example/path' },
])('the cursor of $host is kept under $key', ({ host, key }) => {
  expect(cursorKey(streams.firehoseLive, host)).toBe(key)
})

test('how often a host lost its numbers is kept beside its cursor', () => {
  expect(epochKey(streams.labelLive, 'https://mod.example')).toBe('label_live:epoch:mod.example')
})
