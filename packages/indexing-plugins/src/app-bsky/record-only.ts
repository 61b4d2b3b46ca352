import { defineRecordPlugin, untypedRecord, type RecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'

// Readers take these from `record` by their URI: they have no table of their own.
export const actorStatus: RecordPlugin = defineRecordPlugin({
  collection: publishedRecord('app.bsky.actor.status'),
  rkey: 'self',
})
export const notificationDeclaration: RecordPlugin = defineRecordPlugin({
  collection: publishedRecord('app.bsky.notification.declaration'),
  rkey: 'self',
})
export const germDeclaration: RecordPlugin = defineRecordPlugin({
  collection: publishedRecord('com.germnetwork.declaration'),
  rkey: 'self',
})
/** Chat keeps its own rules for what it reads here; any object is kept. */
export const chatDeclaration: RecordPlugin = defineRecordPlugin({
  collection: untypedRecord('chat.bsky.actor.declaration'),
  rkey: 'self',
})
