import type { RecountedColumn } from '@millrace/indexing'
import { expect, test } from 'vitest'
import { positionText, readPosition } from './options.ts'
import { renderProgress, renderReport } from './render.ts'

const likes: RecountedColumn = {
  table: 'post_agg',
  column: 'likeCount',
  checked: 184_280,
  wrong: 0,
  tooLow: 0,
  tooHigh: 0,
  negative: 0,
  samples: [],
}
const followers: RecountedColumn = {
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
  expect(renderReport({ columns: [likes, followers] }, false)).toEqual([
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
  expect(renderReport({ columns }, dryRun).at(-1)).toBe(says)
})

test('one that was stopped says how to go on', () => {
  const stoppedAt = { table: 'post_agg', subject: 'at://did:plc:a/app.bsky.feed.post/3k' }
  expect(renderReport({ columns: [likes], stoppedAt }, false).at(-1)).toBe(
    "Stopped before the end. Go on with --after 'post_agg/at://did:plc:a/app.bsky.feed.post/3k'",
  )
})

test.each([{ table: 'post_agg' }, { table: 'post_agg', subject: 'at://did:plc:a/app.bsky.feed.post/3k' }])(
  'a position is one word, and is read back: %j',
  (position) => {
    expect(readPosition(positionText(position))).toEqual(position)
  },
)

test('progress says how far it is', () => {
  const position = { table: 'profile_agg', subject: 'did:plc:a' }
  expect(renderProgress({ position, checked: 12_500, wrong: 3 })).toBe('12,500 checked, 3 wrong  profile_agg/did:plc:a')
})
