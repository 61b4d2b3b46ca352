import { AppBskyFeedThreadgate } from '@atproto/api'
import { defineRecordPlugin } from '@millrace/indexing'
import { baseRow } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'
import { threads } from '../threads/threads.ts'
import { requireDids } from './by-did.ts'
import { gateSubject } from './gate-subject.ts'

const { isListRule } = AppBskyFeedThreadgate

/** `app.bsky.feed.threadgate` to `thread_gate`: replies that it forbids are marked, also those that came before it. */
export const feedThreadgate = defineRecordPlugin({
  collection: publishedRecord<AppBskyFeedThreadgate.Record>('app.bsky.feed.threadgate'),
  table: 'thread_gate',
  toRow: (context) => {
    requireDids((context.record.allow ?? []).map((rule) => (isListRule(rule) ? rule.list : undefined)))
    return { ...baseRow(context), postUri: gateSubject(context) }
  },
  uniqueBy: ['postUri'],
  derivation: threads,
  locks: ({ record }) => [record.post],
  lockColumns: ['postUri'],
})
