import type { AppBskyFeedGenerator } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { jsonOrNull } from '../json-column.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.feed.generator` to `feed_generator`. */
export const feedGenerator = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedGenerator.Record>('app.bsky.feed.generator'),
  table: 'feed_generator',
  toRow: (context) => {
    const { did, displayName, description, descriptionFacets, avatar } = context.record
    return {
      ...baseRow(context),
      feedDid: did,
      displayName,
      description: description ?? null,
      descriptionFacets: jsonOrNull(descriptionFacets),
      avatarCid: avatar?.ref.toString() ?? null,
    }
  },
})
