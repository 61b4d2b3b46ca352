import type { AppBskyFeedLike } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'
import { subjectNotifications, subjectRow } from './subject-record.ts'

/** `app.bsky.feed.like` to `like`: one row for each account and subject, counted on the post; its author is told. */
export const feedLike = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedLike.Record>('app.bsky.feed.like'),
  table: 'like',
  toRow: subjectRow,
  uniqueBy: ['creator', 'subject'],
  notify: subjectNotifications('like', 'like-via-repost'),
  counts: [{ table: 'post_agg', key: 'uri', column: 'likeCount', of: 'subject' }],
})
