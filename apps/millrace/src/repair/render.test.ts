import type { ListRepairsRepair } from '@millrace/admin-api'
import type { RepairPreview } from '@millrace/repair'
import { expect, test } from 'vitest'
import {
  renderComparison,
  renderGaps,
  renderPreview,
  renderRepair,
  renderRepairList,
  renderRepairProgress,
} from './render.ts'

const repair: ListRepairsRepair = {
  id: 3,
  host: 'relay.test',
  reason: 'gap',
  state: 'done',
  isPaused: false,
  isDryRun: false,
  listed: 1_240,
  inactive: 6,
  current: 1_200,
  moved: 30,
  unknown: 4,
  waiting: 0,
  failed: 1,
  sampled: 20,
  diverged: 0,
  createdAt: '2026-10-24T12:00:00.000Z',
  finishedAt: '2026-10-24T12:00:12.500Z',
}
const counts = { collection: 'app.bsky.feed.like', created: 1_012, updated: 0, deleted: 3, unchanged: 40 }

test('a repair says what it found, and what that changed', () => {
  expect(renderRepair({ repair, counts: [counts] })).toEqual([
    'repair 3 of relay.test (gap): done after 12.5 s',
    '  1,240 repos listed: 1,200 current, 30 moved, 4 unknown, 6 inactive',
    '  34 repos to fetch: 0 waiting, 1 failed; 20 compared once more, 0 diverged',
    '                      created  updated  deleted  unchanged',
    '  app.bsky.feed.like    1,012        0        3         40',
    '  Repos that failed stay marked, and are tried again.',
  ])
})

test('a repair at work says how far it is, of which time, and what holds it up', () => {
  const open: ListRepairsRepair = {
    ...repair,
    state: 'fetching',
    isPaused: true,
    since: '2026-10-14T00:00:00.000Z',
    waiting: 12,
    failed: 0,
    error: 'HTTP status 500\u001b[2J',
    finishedAt: undefined,
  }
  expect(renderRepair({ repair: open, counts: [] })).toEqual([
    'repair 3 of relay.test (gap, since 2026-10-14T00:00:00Z): fetching, paused',
    '  1,240 repos listed: 1,200 current, 30 moved, 4 unknown, 6 inactive',
    '  34 repos to fetch: 12 waiting, 0 failed; 20 compared once more, 0 diverged',
    String.raw`  tried again after: HTTP status 500\u001b[2J`,
  ])
  expect(renderRepairProgress([open, repair])).toBe('relay.test: 12 of 1,240 repos to fetch (paused)')
  expect(renderRepairProgress([{ ...open, state: 'listing', isPaused: false }])).toBe('relay.test: listed 1,240')
})

test('repairs are listed in columns', () => {
  expect(renderRepairList([])).toEqual(['There has been no repair.'])
  expect(renderRepairList([repair])).toEqual([
    'host        reason  state  begun                 id  listed  to fetch  waiting  failed  diverged',
    'relay.test  gap     done   2026-10-24T12:00:00Z   3   1,240        34        0       1         0',
  ])
})

const gap = {
  id: 1,
  host: 'relay.test',
  stream: 'firehose_live',
  reason: 'outdated-cursor',
  since: '2026-10-14T00:00:00.000Z',
  openedAt: '2026-10-24T12:00:00.000Z',
  repair: 3,
  repairState: 'fetching',
}

test('a gap names the repair that closes it, or says how to begin one', () => {
  expect(renderGaps([])).toEqual(['No gap is open.'])
  expect(renderGaps([gap])).toEqual([
    'host        stream         reason           since                 closed by',
    'relay.test  firehose_live  outdated-cursor  2026-10-14T00:00:00Z  repair 3, fetching',
  ])
  expect(
    renderGaps([{ ...gap, host: '', since: undefined, repair: undefined, repairState: undefined }]).slice(1),
  ).toEqual([
    '(any)  firehose_live  outdated-cursor  before 2026-10-24T12:00:00Z  none yet',
    'Backfillers plan a repair for each by themselves; to begin one now: millrace repair',
  ])
})

test('a repair that only compares says what would be fetched', () => {
  expect(renderComparison({ repair, counts: [] })).toEqual([
    'relay.test (repair 3, done after 12.5 s): 1,240 repos listed: 1,200 current, 30 moved, 4 unknown, 6 inactive',
    '  34 repos would be fetched. Without --dry-run they are.',
  ])
})

test('a preview says what would be fetched', () => {
  const preview: RepairPreview = {
    listed: 30,
    counts: { current: 20, moved: 2, unknown: 1, inactive: 3, unchanged: 4 },
    fetch: 3,
    examples: ['did:plc:a', 'did:plc:b'],
    statusDiffers: 1,
  }
  expect(renderPreview('relay.test', preview)).toEqual([
    'relay.test: 30 repos listed: 24 current, 2 moved, 1 unknown, 3 inactive',
    '  3 repos would be fetched. Without --dry-run they are.',
    '    did:plc:a',
    '    did:plc:b',
    '    and 1 more',
    '  The status of 1 accounts is another one there.',
  ])
  expect(renderPreview('relay.test', { ...preview, fetch: 0, examples: [], statusDiffers: 0 }).slice(1)).toEqual([
    '  There is nothing to fetch.',
  ])
})
