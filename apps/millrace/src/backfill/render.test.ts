import type { GetBackfillOutput } from '@millrace/admin-api'
import { expect, test } from 'vitest'
import { renderBackfill, span } from './render.ts'

const going: GetBackfillOutput = {
  state: 'running',
  isListing: true,
  lists: [
    { host: 'relay.test', url: 'https://relay.test', isDone: false },
    { host: 'pds.test', url: 'https://pds.test', isDone: true },
  ],
  backfillers: 2,
  listed: 900,
  waiting: { asked: 1, live: 2, repair: 3, backfill: 94 },
  running: 4,
  retrying: 11,
  failed: 7,
  perMinute: 600,
  etaSeconds: 100,
}

test('the state of a backfill is told with what can be done', () => {
  expect(renderBackfill(going)).toEqual([
    'backfill: going on, 2 backfillers, 10.0 repos a second',
    '  900 listed, 94 added, 1 asked for, 2 lost by a firehose, 3 for repairs; 4 at work',
    '  11 are tried again, 7 were given up',
    '  relay.test: still being listed',
    '  about 2 min until nothing waits, without what is still to be listed',
    '  millrace dlq tells why; millrace backfill retry-failed fetches them once more.',
  ])
  const { listed: _listed, etaSeconds: _eta, ...rest } = going
  expect(renderBackfill({ ...rest, state: 'absent', lists: [], backfillers: 0, perMinute: 0, failed: 0 })).toEqual([
    'backfill: nobody works on it, 0 backfillers',
    expect.stringContaining('no backfiller tells'),
    '  11 are tried again, 0 were given up',
  ])
})

test.each([
  [5, '5 s'],
  [600, '10 min'],
  [10_000, '3 h'],
  [1_000_000, '12 days'],
])('%i seconds are %s', (seconds, text) => expect(span(seconds)).toBe(text))
