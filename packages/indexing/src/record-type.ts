import { jsonToLex, type Lexicons } from '@atproto/lexicon'
import { isObject, type RecordJson } from '@millrace/stream-protocol'

/** A record that is not what its collection's lexicon says (hazards X9, J12). Its message names the field. */
export class InvalidRecordError extends Error {
  override readonly name = 'InvalidRecordError'
}

/** The records of one collection: how to check one and what TypeScript sees then. */
export interface RecordType<R> {
  readonly collection: string
  /**
   * The record with CIDs, bytes and blobs as objects of `@atproto/lexicon`.
   * @throws {InvalidRecordError}
   */
  parse(json: RecordJson): R
}

/**
 * A record type by lexicon. Checking is as lenient as AppViews read: unknown fields and open unions pass, datetimes may
 * lack a zone, blobs may have the old form; `$type` has to be the collection.
 */
export function recordType<R>(collection: string, lexicons: Lexicons): RecordType<R> {
  lexicons.getDefOrThrow(`lex:${collection}`, ['record'])
  return {
    collection,
    parse(json) {
      if (json['$type'] !== collection)
        throw new InvalidRecordError(`$type is ${JSON.stringify(json['$type'])?.slice(0, 100)}, not ${collection}`)
      let value: unknown
      try {
        value = jsonToLex(json)
      } catch (cause) {
        throw new InvalidRecordError(`not atproto data: ${(cause as Error).message}`, { cause })
      }
      const result = lexicons.validate(collection, value)
      if (!result.success) throw new InvalidRecordError(result.error.message, { cause: result.error })
      return result.value as R
    },
  }
}

/** Records of a collection without a lexicon of ours: any object that names its own type. */
export function untypedRecord(collection: string): RecordType<RecordJson> {
  return {
    collection,
    parse(json) {
      if (!isObject(json)) throw new InvalidRecordError('not an object')
      return json
    },
  }
}
