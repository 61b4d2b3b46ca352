const nul = '\u0000'
const replacement = '\uFFFD'

/** Text as Postgres can store it: U+0000 and halves of surrogate pairs become U+FFFD (hazard J5). */
export function storableText(text: string): string {
  const wellFormed = text.toWellFormed()
  return wellFormed.includes(nul) ? wellFormed.replaceAll(nul, replacement) : wellFormed
}

/** The longest beginning of `text` that has no more than `maxBytes` bytes as UTF-8 and ends with a whole character. */
export function cutToBytes(text: string, maxBytes: number): string {
  // No character has more than three bytes per UTF-16 unit.
  if (text.length * 3 <= maxBytes) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes))
  return text.slice(0, read)
}
