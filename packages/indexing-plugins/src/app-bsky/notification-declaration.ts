import { defineRecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'

// Readers take it from `record` by its URI: it has no table of its own.
export const notificationDeclaration = defineRecordPlugin({
  collection: publishedRecord('app.bsky.notification.declaration'),
  rkey: 'self',
})
