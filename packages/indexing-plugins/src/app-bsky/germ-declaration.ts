import { defineRecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'

// Readers take it from `record` by its URI: it has no table of its own.
export const germDeclaration = defineRecordPlugin({
  collection: publishedRecord('com.germnetwork.declaration'),
  rkey: 'self',
})
