import type { AppBskyFeedRepost } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow, sortAt } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'
import { isByDid } from './by-did.ts'
import { subjectNotifications, subjectRow } from './subject-record.ts'

/**
 * `app.bsky.feed.repost` to `repost` and `feed_item`: one row for each account and subject, counted on the post; its
 * author is told.
 */
export const feedRepost = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedRepost.Record>('app.bsky.feed.repost'),
  table: 'repost',
  toRow: subjectRow,
  uniqueBy: ['creator', 'subject'],
  parts: [
    {
      table: 'feed_item',
      owner: 'uri',
      toRows: (context) => {
        const { uri, cid, did, record } = context
        // By a handle it is never found, and readers fail over looking for it.
        if (!isByDid(record.subject.uri)) return []
        return [
          {
            uri,
            cid,
            type: 'repost',
            postUri: record.subject.uri,
            originatorDid: did,
            sortAt: sortAt(baseRow(context)),
          },
        ]
      },
    },
  ],
  notify: subjectNotifications('repost', 'repost-via-repost'),
  counts: [{ table: 'post_agg', key: 'uri', column: 'repostCount', of: 'subject' }],
})
