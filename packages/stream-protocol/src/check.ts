import { InvalidEventError } from './errors.ts'
import { spellKeys } from './parse-json.ts'

/** JSON as it came out of a stream: an object whose fields are not yet known. */
export type JsonObject = { [key: string]: unknown }

const didSyntax = /^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$/
const tidSyntax = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/
const nsidSyntax =
  /^[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+(\.[a-zA-Z][a-zA-Z0-9]{0,62})$/
const rkeySyntax = /^[a-zA-Z0-9_~.:-]{1,512}$/
/** Hashes differ, but the text form does not: base32 without padding, as every CID version 1 of the network has it. */
const cidSyntax = /^b[a-z2-7]{20,120}$/

// The regular expressions above are linear, and the length is looked at first (hazard J11).
/** Whether it is a DID by its syntax, of at most 512 characters. Nobody is asked whether there is one. */
export const isDid = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= 512 && didSyntax.test(text)

/** Whether it is a TID by its syntax, such as a revision: 13 characters that sort by time. */
export const isTid = (text: unknown): text is string => typeof text === 'string' && tidSyntax.test(text)

/** Whether it is an NSID by its syntax, such as `app.bsky.feed.post`, of at most 317 characters. */
export const isNsid = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= 317 && nsidSyntax.test(text)

/** Whether it is a record key by its syntax, of at most 512 characters. */
export const isRkey = (text: unknown): text is string =>
  typeof text === 'string' && rkeySyntax.test(text) && text !== '.' && text !== '..'

/** Whether it is a CID of version 1 in base32, as all of the network are. What it is the hash of is not looked at. */
export const isCid = (text: unknown): text is string => typeof text === 'string' && cidSyntax.test(text)

/** Levels of an entry: the event, a record of 64, and a link or bytes in it, which are objects in JSON. */
const MAX_LEVELS = 66

/**
 * Parses the JSON text of an entry. Objects may have a `__proto__` key as data: it stays an own property and changes
 * no prototype (hazard J4), because `JSON.parse` defines properties instead of assigning them.
 *
 * Levels without end are refused here, before anything that calls itself meets them (hazard J8); the parser does not.
 */
export function parseObject(text: string): JsonObject {
  const { json, restore } = spellKeys(text)
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new InvalidEventError('bad-json', 'entry is not JSON', { cause })
  }
  if (!isObject(value)) throw new InvalidEventError('bad-json', 'entry is not a JSON object')
  if (hasManyBrackets(text) && !isWithin(value, MAX_LEVELS)) {
    const { did } = value
    throw new InvalidEventError('too-deep', `entry has more than ${MAX_LEVELS} levels`, isDid(did) ? { did } : {})
  }
  return restore(value) as JsonObject
}

/** Whether there are enough for too many levels. Hardly any entry has them, and no other is walked through. */
function hasManyBrackets(text: string): boolean {
  let found = 0
  for (const bracket of ['{', '['])
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1))
      if (++found > MAX_LEVELS) return true
  return false
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  return Object.values(value).every((inner) => isWithin(inner, levels - 1))
}

/** Whether it is an object of JSON: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads fields of one entry and names the entry in every error. */
export class FieldReader {
  readonly #object: JsonObject
  readonly #did: string | undefined

  constructor(object: JsonObject) {
    this.#object = object
    this.#did = isDid(object['did']) ? object['did'] : undefined
  }

  fail(field: string, expected: string): never {
    const type = typeof this.#object['type'] === 'string' ? `${this.#object['type']} ` : ''
    throw new InvalidEventError(
      `bad-${field}`,
      `${type}event of ${this.#did ?? 'an unknown account'}: ${field} is not ${expected}`,
      { did: this.#did },
    )
  }

  text(field: string): string {
    const value = this.#object[field]
    return typeof value === 'string' ? value : this.fail(field, 'a string')
  }

  optionalText(field: string): string | undefined {
    const value = this.#object[field]
    return value === undefined || value === null ? undefined : this.text(field)
  }

  boolean(field: string): boolean {
    const value = this.#object[field]
    return typeof value === 'boolean' ? value : this.fail(field, 'a boolean')
  }

  optionalBoolean(field: string): boolean | undefined {
    return this.#object[field] === undefined || this.#object[field] === null ? undefined : this.boolean(field)
  }

  integer(field: string): number {
    const value = this.#object[field]
    return Number.isSafeInteger(value) ? (value as number) : this.fail(field, 'an integer')
  }

  optionalInteger(field: string): number | undefined {
    return this.#object[field] === undefined || this.#object[field] === null ? undefined : this.integer(field)
  }

  object(field: string): JsonObject {
    const value = this.#object[field]
    return isObject(value) ? value : this.fail(field, 'an object')
  }

  did(field = 'did'): string {
    const value = this.#object[field]
    return isDid(value) ? value : this.fail(field, 'a DID')
  }

  tid(field: string): string {
    const value = this.#object[field]
    return isTid(value) ? value : this.fail(field, 'a TID')
  }

  nsid(field: string): string {
    const value = this.#object[field]
    return isNsid(value) ? value : this.fail(field, 'an NSID')
  }

  rkey(field: string): string {
    const value = this.#object[field]
    return isRkey(value) ? value : this.fail(field, 'a record key')
  }

  cid(field: string): string {
    const value = this.#object[field]
    return isCid(value) ? value : this.fail(field, 'a CID')
  }
}
