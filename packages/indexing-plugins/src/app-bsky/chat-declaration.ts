import { defineRecordPlugin, untypedRecord } from '@millrace/indexing'

// Chat keeps its own rules for what it reads here, by its URI: any object is kept.
/** `chat.bsky.actor.declaration`: kept as JSON in `record` alone, whatever is in it. */
export const chatDeclaration = defineRecordPlugin({
  collection: untypedRecord('chat.bsky.actor.declaration'),
  rkey: 'self',
})
