import type { BackfillerReport } from '@millrace/backfiller'
import type { BackfillCounts } from '@millrace/database'
import { describe, expect, test } from 'vitest'
import { backfillStatus, type BackfillStatus } from './backfill-status.ts'
import { renderBackfill, span } from './render.ts'

const nothing: BackfillCounts = { waiting: { asked: 0, live: 0, repair: 0, backfill: 0 }, retrying: 0, failed: 0 }
const report: BackfillerReport = { left: 900, running: 2, retrying: 3, finished: 50, perSecond: 4, at: 0 }
const two = [report, { ...report, left: 950, perSecond: 6 }]
const counts: BackfillCounts = { waiting: { asked: 1, live: 2, repair: 3, backfill: 94 }, retrying: 5, failed: 7 }

describe('the state of a backfill', () => {
  test.each<[what: string, status: BackfillStatus, expected: Partial<BackfillStatus>]>([
    [
      'adds up what backfillers say, and the list that they share once',
      backfillStatus(counts, two, false),
      { state: 'running', listed: 900, running: 4, retrying: 11, perSecond: 10, etaSeconds: 100, backfillers: 2 },
    ],
    ['has no end while it is paused', backfillStatus(counts, two, true), { state: 'paused', etaSeconds: null }],
    [
      'is absent without backfillers',
      backfillStatus(counts, [], false),
      { state: 'absent', listed: null, etaSeconds: null },
    ],
    ['is idle when nothing waits', backfillStatus(nothing, [{ ...report, left: 0 }], false), { state: 'idle' }],
    [
      'has no end as long as nothing was finished',
      backfillStatus(counts, [{ ...report, perSecond: 0 }], false),
      { etaSeconds: null },
    ],
  ])('%s', (_, status, expected) => expect(status).toMatchObject(expected))

  test('is told with what can be done', () => {
    expect(renderBackfill(backfillStatus(counts, two, false))).toEqual([
      'backfill: going on, 2 backfillers, 10.0 repos a second',
      '  900 listed, 94 added, 1 asked for, 2 lost by a firehose, 3 for repairs; 4 at work',
      '  11 are tried again, 7 were given up',
      '  about 2 min until nothing waits, without what is still to be listed',
      '  millrace dlq tells why; millrace backfill retry-failed fetches them once more.',
    ])
    expect(renderBackfill(backfillStatus(nothing, [], false))[0]).toBe('backfill: nothing waits, 0 backfillers')
  })
})

test.each([
  [5, '5 s'],
  [600, '10 min'],
  [10_000, '3 h'],
  [1_000_000, '12 days'],
])('%i seconds are %s', (seconds, text) => expect(span(seconds)).toBe(text))
