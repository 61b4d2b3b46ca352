import type { AppBskyGraphBlock } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.graph.block` to `actor_block`: one row for each pair of accounts. */
export const graphBlock = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphBlock.Record>('app.bsky.graph.block'),
  table: 'actor_block',
  toRow: (context) => ({ ...baseRow(context), subjectDid: context.record.subject }),
  uniqueBy: ['creator', 'subjectDid'],
})
