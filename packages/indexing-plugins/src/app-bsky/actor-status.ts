import { defineRecordPlugin } from '@millrace/indexing'
import { publishedRecord } from '../lexicons.ts'

// Readers take it from `record` by its URI: it has no table of its own.
/** `app.bsky.actor.status`: kept as JSON in `record` alone, which is where the AppView reads it. */
export const actorStatus = defineRecordPlugin({ collection: publishedRecord('app.bsky.actor.status'), rkey: 'self' })
