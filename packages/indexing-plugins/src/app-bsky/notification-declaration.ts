import { defineRecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'

// Readers take it from `record` by its URI: it has no table of its own.
/** `app.bsky.notification.declaration`: kept as JSON in `record` alone. */
export const notificationDeclaration = defineRecordPlugin({
  collection: publishedRecord('app.bsky.notification.declaration'),
  rkey: 'self',
})
