import type { AppBskyGraphFollow } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow, sortAt } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/**
 * `app.bsky.graph.follow` to `follow`: one row for each pair of accounts, counted on both profiles; who is followed is
 * told.
 */
export const graphFollow = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphFollow.Record>('app.bsky.graph.follow'),
  table: 'follow',
  toRow: (context) => ({ ...baseRow(context), subjectDid: context.record.subject }),
  // Following someone twice is one follow. The second record waits as a duplicate of the first.
  uniqueBy: ['creator', 'subjectDid'],
  notify: (row) => [{ did: row.subjectDid, reason: 'follow', reasonSubject: null, sortAt: sortAt(row) }],
  counts: [
    { table: 'profile_agg', key: 'did', column: 'followersCount', of: 'subjectDid' },
    { table: 'profile_agg', key: 'did', column: 'followsCount', of: 'creator' },
  ],
})
