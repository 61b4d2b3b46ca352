import type { GetBackfillOutput } from '@millrace/admin-api'
import { expect, test } from 'vitest'
import { backfillVerdict } from './backfill-verdict.ts'

const idle: GetBackfillOutput = {
  state: 'idle',
  isListing: false,
  lists: [],
  backfillers: 1,
  waiting: { asked: 0, live: 0, repair: 0, backfill: 0 },
  running: 0,
  retrying: 0,
  failed: 0,
  perMinute: 0,
}
const busy: GetBackfillOutput = {
  ...idle,
  state: 'running',
  listed: 1_000,
  running: 4,
  waiting: { asked: 1, live: 2, repair: 3, backfill: 0 },
}

test.each([
  ['nothing waits', idle, 'ok', 'All repos are fetched.'],
  ['hosts are being listed', { ...idle, isListing: true }, 'ok', 'Nothing waits, and hosts are still being listed.'],
  ['it runs', { ...busy, etaSeconds: 7_300 }, 'ok', '1,010 repos to fetch, done in about 2 h 1 min.'],
  ['it has just begun', busy, 'ok', '1,010 repos to fetch, it cannot be told yet how long that takes.'],
  ['it is paused', { ...busy, state: 'paused' }, 'unknown', 'It is paused: 1,010 repos to fetch.'],
  [
    'nobody fetches',
    { ...busy, state: 'absent', isListing: true },
    'bad',
    '1,010 repos to fetch, and hosts are still being listed, and no backfiller is heard of.',
  ],
] as const)('the backfill when %s', (_, backfill, level, sentence) => {
  expect(backfillVerdict(backfill)).toEqual({ level, sentence })
})
