/** JSON text of a value that may be absent. */
export function jsonOrNull(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value)
}

/** A JSON array for a `jsonb` column, which cannot hold U+0000 even escaped (hazard J5); null for an empty one. */
export function textArrayOrNull(values: readonly string[] | undefined): string | null {
  if (!values || values.length === 0) return null
  return JSON.stringify(values.map((value) => value.replaceAll('\0', '\ufffd').toWellFormed()))
}
