export type Json = { readonly [key: string]: unknown }

/** An object, or one without anything. */
export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

/** The objects of a list, or none. */
export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object) : []
}

/** The texts of a list, or none. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** A text that a lexicon requires. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`not a text: ${JSON.stringify(value)}`)
  return value
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The CID of a blob, in its form of today or that of the first days. */
export function blobCid(value: unknown): string | null {
  const blob = object(value)
  return textOrNull(object(blob['ref'])['$link']) ?? textOrNull(blob['cid'])
}

/** JSON text whose keys are in order: equal for values that are equal. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  )
}
