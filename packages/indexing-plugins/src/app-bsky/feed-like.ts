import type { AppBskyFeedLike } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'
import { subjectNotifications } from './subject-notifications.ts'

export const feedLike = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedLike.Record>('app.bsky.feed.like'),
  table: 'like',
  toRow: (context) => {
    const { subject, via } = context.record
    return {
      ...baseRow(context),
      subject: subject.uri,
      subjectCid: subject.cid,
      via: via?.uri ?? null,
      viaCid: via?.cid ?? null,
    }
  },
  uniqueBy: ['creator', 'subject'],
  notify: subjectNotifications('like', 'like-via-repost'),
  counts: [{ table: 'post_agg', key: 'uri', column: 'likeCount', of: (row) => row['subject']! }],
})
