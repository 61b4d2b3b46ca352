import type { RecountColumn } from '@millrace/admin-api'
import { expect, test } from 'vitest'
import { addColumns } from './add-columns.ts'
import { renderProgress, renderReport } from './render.ts'

const likes: RecountColumn = {
  table: 'post_agg',
  column: 'likeCount',
  checked: 184_280,
  wrong: 0,
  tooLow: 0,
  tooHigh: 0,
  negative: 0,
  samples: [],
}
const followers: RecountColumn = {
  ...likes,
  table: 'profile_agg',
  column: 'followersCount',
  checked: 9,
  wrong: 3,
  tooLow: 1_002,
  tooHigh: 1,
  negative: 1,
  samples: [
    { subject: 'did:plc:a', stored: -2, counted: 1_000 },
    { subject: 'did:plc:b\u001b[2J', stored: 8, counted: 7 },
  ],
}

test('a report lists columns, then wrong counts, then what became of them', () => {
  expect(renderReport({ dryRun: false, columns: [likes, followers] })).toEqual([
    '                            checked  wrong  too low by  too high by  below zero',
    'post_agg.likeCount          184,280      0           0            0           0',
    'profile_agg.followersCount        9      3       1,002            1           1',
    '  profile_agg.followersCount  did:plc:a  -2 → 1,000',
    String.raw`  profile_agg.followersCount  did:plc:b\u001b[2J  8 → 7`,
    '  profile_agg.followersCount  and 1 more',
    '3 counts were wrong, and corrected.',
  ])
})

test.each([
  {
    name: 'a dry run',
    columns: [followers],
    dryRun: true,
    says: '3 counts were wrong. Without --dry-run they are corrected.',
  },
  {
    name: 'one count',
    columns: [{ ...followers, wrong: 1 }],
    dryRun: false,
    says: '1 count was wrong, and corrected.',
  },
  { name: 'no wrong one', columns: [likes], dryRun: false, says: 'All counts are right.' },
  { name: 'none at all', columns: [{ ...likes, checked: 0 }], dryRun: true, says: 'There is nothing to count.' },
])('its last line is about $name', ({ columns, dryRun, says }) => {
  expect(renderReport({ columns, dryRun }).at(-1)).toBe(says)
})

test('one that was stopped says how to go on', () => {
  const stoppedAt = 'post_agg/at://did:plc:a/app.bsky.feed.post/3k'
  expect(renderReport({ dryRun: false, columns: [likes], stoppedAt }).at(-1)).toBe(
    "Stopped before the end. Go on with --after 'post_agg/at://did:plc:a/app.bsky.feed.post/3k'",
  )
})

test('parts of a recount add up', () => {
  const more = { ...followers, samples: [{ subject: 'did:plc:c', stored: 1, counted: 2 }] }
  expect(addColumns([likes, followers], [more], 2)).toEqual([
    likes,
    { ...followers, checked: 18, wrong: 6, tooLow: 2_004, tooHigh: 2, negative: 2 },
  ])
  expect(addColumns([], [likes], 2)).toEqual([likes])
})

test('progress says how far it is', () => {
  expect(renderProgress([likes, followers], 'profile_agg/did:plc:a')).toBe(
    '184,289 checked, 3 wrong  profile_agg/did:plc:a',
  )
})
