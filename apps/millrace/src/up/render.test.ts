import { expect, test } from 'vitest'
import { renderLine, renderScreen, type Heading } from './render.ts'
import type { Snapshot } from './snapshot.ts'

const heading: Heading = {
  network: 'simulated network',
  stores: 'sqlite streams',
  urls: { log: '/tmp/millrace.log' },
  startedAt: 0,
}
const before: Snapshot = {
  at: 60_000,
  firehose: { state: 'streaming', reason: undefined, seq: 100, head: 120, events: 90 },
  listing: { state: 'listing', reason: undefined, repos: 40 },
  backfill: { done: 6, failed: 0, retrying: 0, running: 2, total: 24, records: 1_000, bytes: 0, lastError: undefined },
  waiting: { firehose_live: 0, firehose_backfill: 0, repo_backfill: 18, label_live: 0 },
  behindSeconds: 0,
  indexed: 1_000,
  labels: 3,
  handlesWaiting: 0,
  accountsWaiting: 0,
  deadLetters: {},
  dirty: 0,
  gaps: 0,
}
const now: Snapshot = {
  ...before,
  at: 62_000,
  firehose: { ...before.firehose, state: 'waiting', reason: 'close 1006', events: 130 },
  backfill: { ...before.backfill, done: 11, failed: 1, retrying: 2, records: 3_000 },
  waiting: { ...before.waiting, firehose_live: 30, firehose_backfill: 1_200 },
  behindSeconds: 1.25,
  indexed: 2_400,
  handlesWaiting: 7,
  accountsWaiting: 2,
  deadLetters: { 'invalid-record': 2, 'bad-json': 1 },
  dirty: 4,
}

test('the screen shows rates over the time between two looks, and what is in the way', () => {
  expect(renderScreen(heading, now, before, 120)).toEqual([
    'Millrace  simulated network  sqlite streams  00:01:02',
    '  firehose      waiting (close 1006)  seq 100 of 120  130 events  20/s',
    '  list          listing  40 repos',
    '  backfill      [████████████░░░░░░░░░░░░] 12/24 repos  3,000 records  1,000/s  2 waiting to be tried again  1 given up',
    '  index         2,400 events  700/s  3 labels',
    '  lag           1,230 entries, the oldest 1.3 s',
    '  handles       7 to look up  2 accounts to ask about',
    '  dead letters  3  invalid-record 2  bad-json 1  dirty 4  gaps 0',
    '  log           /tmp/millrace.log',
    '  Ctrl-C stops; what is indexed stays',
  ])
})

test('no line is longer than the terminal is wide', () => {
  const lines = renderScreen(heading, now, before, 40)
  expect(Math.max(...lines.map((line) => line.length))).toBe(40)
  expect(lines[3]).toMatch(/…$/)
})

test('a first look has no rates, and nothing listed is an empty bar', () => {
  const empty = { ...before, backfill: { ...before.backfill, done: 0, total: 0 } }
  const text = renderScreen(heading, empty, empty, 120).join('\n')
  expect(text).toContain('[░░░░░░░░░░░░░░░░░░░░░░░░] 0/0 repos')
  expect(text).toContain('1,000 events  -  3 labels')
  expect(text).toContain('lag           none')
})

test('without a terminal it is one line', () => {
  expect(renderLine(heading, now, before)).toBe(
    '00:01:02  firehose waiting (close 1006) 130 events  listed 40  backfilled 11/24 (1 given up) (2 tried again)  indexed 2,400 at 700/s  waiting 1,230  dead letters 3',
  )
})
