import type { AppBskyGraphListblock } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.graph.listblock` to `list_block`: one row for each account and list. */
export const graphListblock = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphListblock.Record>('app.bsky.graph.listblock'),
  table: 'list_block',
  toRow: (context) => ({ ...baseRow(context), subjectUri: context.record.subject }),
  uniqueBy: ['creator', 'subjectUri'],
})
