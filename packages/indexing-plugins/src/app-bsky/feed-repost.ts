import type { AppBskyFeedRepost } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow, sortAt } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'
import { subjectNotifications, subjectRow } from './subject-record.ts'

export const feedRepost = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedRepost.Record>('app.bsky.feed.repost'),
  table: 'repost',
  toRow: subjectRow,
  uniqueBy: ['creator', 'subject'],
  parts: [
    {
      table: 'feed_item',
      owner: 'uri',
      toRows: (context) => [
        {
          uri: context.uri,
          cid: context.cid,
          type: 'repost',
          postUri: context.record.subject.uri,
          originatorDid: context.did,
          sortAt: sortAt(baseRow(context)),
        },
      ],
    },
  ],
  notify: subjectNotifications('repost', 'repost-via-repost'),
  counts: [{ table: 'post_agg', key: 'uri', column: 'repostCount', of: 'subject' }],
})
