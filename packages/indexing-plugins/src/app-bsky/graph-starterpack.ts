import type { AppBskyGraphStarterpack } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.graph.starterpack` to `starter_pack`. */
export const graphStarterpack = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphStarterpack.Record>('app.bsky.graph.starterpack'),
  table: 'starter_pack',
  toRow: (context) => ({ ...baseRow(context), name: context.record.name }),
})
