import { isObject, type JsonObject } from './check.ts'
import { InvalidEventError } from './errors.ts'
import type { RecordJson } from './stream-event.ts'

/** Containers within containers that a record may have, itself included (hazard J8). */
export const MAX_RECORD_DEPTH = 64

/**
 * The JSON form of a decoded record: CIDs as `{"$link"}`, bytes as `{"$bytes"}` in base64 without padding, everything
 * else as it is, typed and legacy blobs too (hazard J3). CIDs are known by their shape, whatever library made them.
 *
 * Keys are data: `__proto__` becomes an own property, as `JSON.parse` makes it, and changes no prototype (hazard J4).
 * @throws {InvalidEventError} `unrepresentable-record` for what the data model does not have: fractions, integers beyond
 * 2^53 - 1, NaN, undefined, objects of classes, more than 64 levels, or a map that would be read back as a link or bytes.
 */
export function recordJson(value: unknown): RecordJson {
  if (!isPlainObject(value)) return fail('it is not a map')
  return objectJson(value, 1)
}

function objectJson(object: object, depth: number): RecordJson {
  if (depth > MAX_RECORD_DEPTH) fail(`more than ${MAX_RECORD_DEPTH} levels`)
  const json: RecordJson = {}
  const keys = Object.keys(object)
  // Alone in its map, this key would turn text of the author's choice into a link or bytes on the way back.
  if (keys.length === 1 && (keys[0] === '$link' || keys[0] === '$bytes')) fail(`a map with only ${keys[0]}`)
  for (const key of keys) {
    const value = valueJson((object as RecordJson)[key], depth)
    if (key === '__proto__')
      Object.defineProperty(json, key, { value, enumerable: true, configurable: true, writable: true })
    else json[key] = value
  }
  return json
}

function valueJson(value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  // Minus zero exists among fractions only.
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : fail(`the number ${value}`)
  return typeof value === 'object' ? containerJson(value, depth + 1) : fail(`a ${typeof value}`)
}

function containerJson(value: object, depth: number): unknown {
  if (Array.isArray(value)) {
    if (depth > MAX_RECORD_DEPTH) fail(`more than ${MAX_RECORD_DEPTH} levels`)
    return Array.from(value, (item: unknown) => valueJson(item, depth))
  }
  if (value instanceof Uint8Array)
    return {
      $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64').replace(/=+$/, ''),
    }
  if (isCidLike(value)) return { $link: value.toString() }
  if (isPlainObject(value)) return objectJson(value, depth)
  return fail('an object of a class')
}

/**
 * Whether an object that was read as JSON is a record as {@link recordJson} makes one: whole numbers up to 2^53 - 1, and
 * no more than 64 levels. What our own services write always is; entries of others may be anything (hazards J2, J8).
 */
export function isRecordJson(value: unknown): boolean {
  return isObject(value) && holds(value, 1)
}

function holds(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || value === null) return true
  // Links and bytes are objects in JSON alone.
  if (depth > MAX_RECORD_DEPTH) return isScalarInDisguise(value)
  if (Array.isArray(value)) return value.every((item) => holds(item, depth + 1))
  for (const key in value) {
    const inner = (value as JsonObject)[key]
    if (typeof inner !== 'string' && !holds(inner, depth + 1)) return false
  }
  return true
}

function isScalarInDisguise(value: object): boolean {
  const [key, ...more] = Object.keys(value)
  return (key === '$link' || key === '$bytes') && more.length === 0 && typeof (value as JsonObject)[key] === 'string'
}

/** A decoded map has maps' prototype or none. A map whose `__proto__` key a decoder let through has another one. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

interface CidLike {
  readonly version: number
  toString(): string
}

/** As the CID classes of multiformats are, in every version: fields and methods that come from a class, not from data. */
function isCidLike(value: object): value is CidLike {
  if (isPlainObject(value)) return false
  const { version, code, multihash } = value as { version?: unknown; code?: unknown; multihash?: unknown }
  return typeof version === 'number' && typeof code === 'number' && typeof multihash === 'object' && multihash !== null
}

function fail(what: string): never {
  throw new InvalidEventError('unrepresentable-record', `record cannot be written as JSON: ${what}`)
}
