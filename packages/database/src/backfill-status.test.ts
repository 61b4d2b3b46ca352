import { expect, test } from 'vitest'
import type { BackfillCounts } from './backfill-queue.ts'
import { backfillStatus, type BackfillStatus } from './backfill-status.ts'
import type { BackfillerReport } from './backfiller-reports.ts'

const nothing: BackfillCounts = { waiting: { asked: 0, live: 0, repair: 0, backfill: 0 }, retrying: 0, failed: 0 }
const report: BackfillerReport = { left: 900, running: 2, retrying: 3, finished: 50, perSecond: 4, at: 0 }
const two = [report, { ...report, left: 950, perSecond: 6 }]
const counts: BackfillCounts = { waiting: { asked: 1, live: 2, repair: 3, backfill: 94 }, retrying: 5, failed: 7 }

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
])('the state of a backfill %s', (_, status, expected) => expect(status).toMatchObject(expected))
