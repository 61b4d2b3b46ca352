import { parseJson } from '@millrace/stream-protocol'

const nul = '\u0000'
const replacement = '\uFFFD'

/** Text as Postgres can store it: U+0000 and halves of surrogate pairs become U+FFFD (hazard J5). */
export function storableText(text: string): string {
  const wellFormed = text.toWellFormed()
  return wellFormed.includes(nul) ? wellFormed.replaceAll(nul, replacement) : wellFormed
}

/** JSON text as `jsonb` can store it: the same rule, for every text in it and every key (hazard J5). */
export function storableJson(json: string): string {
  // As `JSON.stringify` writes what would be replaced. Where a backslash is meant, nothing is found in the end.
  if (!/\\u(?:0000|d[89a-f])/i.test(json)) return json
  return JSON.stringify(storableValue(parseJson(json)))
}

function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(storableValue)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storableText(key), storableValue(inner)]))
}

/** The longest beginning of `text` that has no more than `maxBytes` bytes as UTF-8 and ends with a whole character. */
export function cutToBytes(text: string, maxBytes: number): string {
  // No character has more than three bytes per UTF-16 unit.
  if (text.length * 3 <= maxBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  return text.slice(0, read)
}
