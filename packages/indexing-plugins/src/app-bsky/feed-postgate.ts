import type { AppBskyFeedPostgate } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'
import { threads } from '../threads/threads.ts'
import { gateSubject } from './gate-subject.ts'

/**
 * `app.bsky.feed.postgate` to `post_gate`: quotes that it forbids are marked, also those that came before it.
 */
export const feedPostgate = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedPostgate.Record>('app.bsky.feed.postgate'),
  table: 'post_gate',
  toRow: (context) => ({ ...baseRow(context), postUri: gateSubject(context) }),
  uniqueBy: ['postUri'],
  derivation: threads,
  locks: ({ record }) => [record.post],
  lockColumns: ['postUri'],
})
