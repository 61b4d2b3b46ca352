import { fromBase64, isCid, type LexMap, type LexValue, parseCid, toBase64 } from '@atproto/lex-data'

/** The JSON form of a record: CIDs as `{"$link"}`, bytes as `{"$bytes"}`. */
export type RecordJson = { [key: string]: unknown }

/** A record, as its CBOR is read, in the form that XRPC answers have it. */
export function lexToJson(value: LexMap): RecordJson {
  return toJson(value) as RecordJson
}

function toJson(value: LexValue | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isCid(value)) return { $link: value.toString() }
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) }
  if (Array.isArray(value)) return value.map(toJson)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
}

/** Takes the JSON form; CIDs and bytes that are there already stay as they are. */
export function jsonToLex(value: object): LexMap {
  return fromJson(value) as LexMap
}

function fromJson(value: unknown): LexValue {
  if (typeof value !== 'object' || value === null) return value as LexValue
  if (isCid(value) || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(fromJson)
  const { $link, $bytes } = value as { $link?: unknown; $bytes?: unknown }
  if (typeof $link === 'string') return parseCid($link)
  if (typeof $bytes === 'string') return fromBase64($bytes)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item)]))
}
