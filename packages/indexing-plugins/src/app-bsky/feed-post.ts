import type { AppBskyFeedPost } from '@atproto/api'
import { defineRecordPlugin, uriAuthority } from '@millrace/indexing'
import { baseRow, sortAt } from '../base-row.ts'
import { textArrayOrNull } from '../json-column.ts'
import { publishedRecord } from '../lexicons.ts'
import { replyCount } from '../threads/reply-count.ts'
import { threads } from '../threads/threads.ts'
import { requireDids } from './by-did.ts'
import { embeddedRecords, embedParts, quotedPost } from './post-embeds.ts'

/**
 * `app.bsky.feed.post` to `post`, its embeds, `feed_item`, counts and notifications. Whether a reply holds is decided
 * again whenever its thread or a gate changes.
 */
export const feedPost = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedPost.Record>('app.bsky.feed.post'),
  table: 'post',
  toRow: (context) => {
    const { text, reply, langs, tags } = context.record
    requireDids([reply?.root.uri, reply?.parent.uri, ...embeddedRecords(context.record).map(({ uri }) => uri)])
    return {
      ...baseRow(context),
      text,
      replyRoot: reply?.root.uri ?? null,
      replyRootCid: reply?.root.cid ?? null,
      replyParent: reply?.parent.uri ?? null,
      replyParentCid: reply?.parent.cid ?? null,
      langs: textArrayOrNull(langs),
      tags: textArrayOrNull(tags),
    }
  },
  parts: [
    {
      table: 'feed_item',
      owner: 'uri',
      toRows: (context) => [
        {
          uri: context.uri,
          cid: context.cid,
          type: 'post',
          postUri: context.uri,
          originatorDid: context.did,
          sortAt: sortAt(baseRow(context)),
        },
      ],
    },
    {
      // What the thread's own author says in it. Deleted ones stay, so that readers know where the chain was cut.
      table: 'op_thread_reply',
      owner: 'uri',
      toRows: ({ uri, did, record: { reply } }) =>
        reply && uriAuthority(reply.root.uri) === did
          ? [{ rootUri: reply.root.uri, parentUri: reply.parent.uri, uri }]
          : [],
      markDeleted: {
        column: 'deletedAt',
        key: ['rootUri', 'uri'],
        locate: { column: 'rootUri', of: (row) => row['replyRoot']! },
      },
    },
    ...embedParts,
  ],
  counts: [{ table: 'profile_agg', key: 'did', column: 'postsCount', of: 'creator' }, replyCount],
  derivation: threads,
  // A post's verdict hangs on its thread, and on the gate of what it quotes. Who hears of it hangs on its parent too,
  // which may say that it belongs to another thread.
  locks: ({ uri }) => [uri],
  sharedLocks: ({ record }) =>
    [record.reply?.root.uri, record.reply?.parent.uri, quotedPost(record)?.uri].filter((name) => name !== undefined),
  referredBy: 'replyParent',
  lockColumns: ['uri', 'replyRoot', 'replyParent'],
})
