import type { AppBskyGraphVerification } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow, sortAt } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'

/** `app.bsky.graph.verification` to `verification`: one row for each verifier and subject, who is told. */
export const graphVerification = defineRecordPlugin({
  collection: publishedRecord<AppBskyGraphVerification.Record>('app.bsky.graph.verification'),
  table: 'verification',
  toRow: (context) => {
    const { subject, handle, displayName } = context.record
    return { ...baseRow(context), rkey: context.rkey, subject, handle, displayName }
  },
  uniqueBy: ['creator', 'subject'],
  notify: (row) => [{ did: row.subject, reason: 'verified', reasonSubject: null, sortAt: sortAt(row) }],
})
