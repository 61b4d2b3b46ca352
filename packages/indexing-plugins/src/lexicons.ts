import { schemas } from '@atproto/api'
import { Lexicons } from '@atproto/lexicon'
import { recordType, type RecordType } from '@millrace/indexing'

/** The published lexicons of app.bsky, chat.bsky, com.atproto and com.germnetwork. */
export const lexicons = new Lexicons(schemas)

/** Records of a collection that the published lexicons define. */
export function publishedRecord<R>(collection: string): RecordType<R> {
  return recordType<R>(collection, lexicons)
}
