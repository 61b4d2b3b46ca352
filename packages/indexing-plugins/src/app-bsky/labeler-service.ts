import type { AppBskyLabelerService } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.labeler.service` to `labeler`. */
export const labelerService = defineRecordPlugin({
  collection: publishedRecord<AppBskyLabelerService.Record>('app.bsky.labeler.service'),
  rkey: 'self',
  table: 'labeler',
  toRow: (context) => baseRow(context),
})
