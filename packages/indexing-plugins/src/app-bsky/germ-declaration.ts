import { defineRecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'

// Readers take it from `record` by its URI: it has no table of its own.
/** `com.germnetwork.declaration`: kept as JSON in `record` alone. */
export const germDeclaration = defineRecordPlugin({
  collection: publishedRecord('com.germnetwork.declaration'),
  rkey: 'self',
})
