import type { Count } from '@millrace/indexing'

/** Replies of a post. One that its thread's gate forbids is there, but not counted. */
export const replyCount: Count = {
  table: 'post_agg',
  key: 'uri',
  column: 'replyCount',
  of: 'replyParent',
  unless: 'violatesThreadGate',
}
