import { jsonToLex, type Lexicons, type ValidationResult } from '@atproto/lexicon'
import { isObject, type RecordJson } from '@millrace/stream-protocol'
import { lexiconsOf, missingDefinitions } from './lexicon-documents.ts'
import type { LexiconDocument, RecordLexicon, RecordOf } from './record-of.ts'
import { sureCheck } from './sure-check.ts'

/** A record that is not what its collection's lexicon says (hazards X9, J12). Its message names the field. */
export class InvalidRecordError extends Error {
  override readonly name = 'InvalidRecordError'
}

/** @throws {InvalidRecordError} unless a record says that it is one of its collection (hazard J12). */
export function requireType({ $type }: RecordJson, collection: string): void {
  if ($type !== collection)
    throw new InvalidRecordError(`$type is ${JSON.stringify($type)?.slice(0, 100)}, not ${collection}`)
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
 * A record type by its lexicon, given `as const`: TypeScript knows the fields from it.
 *
 * Checking is as lenient as AppViews read: unknown fields and open unions pass, datetimes may lack a zone, blobs may
 * have the old form; `$type` has to be the collection.
 *
 * @param others Documents that the lexicon refers to.
 * @throws {TypeError} when a document is no lexicon, or when one that is referred to is not given.
 *
 * @example
 * recordType({
 *   lexicon: 1,
 *   id: 'xyz.statusphere.status',
 *   defs: { main: { type: 'record', key: 'tid', record: { type: 'object', properties: { status: { type: 'string' } } } } },
 * } as const)
 */
export function recordType<const D extends RecordLexicon, const O extends readonly LexiconDocument[] = readonly []>(
  lexicon: D,
  others?: O,
): RecordType<RecordOf<D, O>>
/**
 * A record type out of a collection of lexicons. TypeScript is told the fields: by types that were made from the same
 * lexicons, such as those of `@atproto/api`.
 *
 * @example
 * recordType<AppBskyGraphFollow.Record>('app.bsky.graph.follow', new Lexicons(schemas))
 */
export function recordType<R>(collection: string, lexicons: Lexicons): RecordType<R>
export function recordType(
  of: string | RecordLexicon,
  others: Lexicons | readonly LexiconDocument[] = [],
): RecordType<unknown> {
  return typeof of === 'string'
    ? checkedBy(others as Lexicons, of)
    : checkedBy(lexiconsOf([of, ...(others as readonly LexiconDocument[])]), of.id)
}

function checkedBy(lexicons: Lexicons, collection: string): RecordType<unknown> {
  lexicons.getDefOrThrow(collection, ['record'])
  const missing = missingDefinitions(lexicons, collection)
  if (missing.length > 0)
    throw new TypeError(`lexicon of ${collection} refers to what is not given with it: ${missing.join(', ')}`)
  const isSure = sureCheck(lexicons, collection)
  return {
    collection,
    parse(json) {
      requireType(json, collection)
      if (isSure(json)) return json
      const result = validate(lexicons, collection, json)
      if (!result.success) throw new InvalidRecordError(result.error.message, { cause: result.error })
      return result.value
    },
  }
}

function validate(lexicons: Lexicons, collection: string, json: RecordJson): ValidationResult {
  return asData(() => lexicons.validate(collection, jsonToLex(json)))
}

function asData<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    // Such as a link that is no CID, a `$type` that is no name of a type, or a key `__proto__` (hazard J4).
    throw new InvalidRecordError(`not atproto data: ${(cause as Error).message}`, { cause })
  }
}

/** Records of a collection without a lexicon of ours: any object that readers take for data. */
export function untypedRecord(collection: string): RecordType<RecordJson> {
  return {
    collection,
    parse(json) {
      if (!isObject(json)) throw new InvalidRecordError('not an object')
      asData(() => jsonToLex(json))
      return json
    },
  }
}
