/** Text as a column takes it: what Postgres has no text for is U+FFFD. */
export function storable(text: string): string {
  let result = ''
  for (const character of text) {
    const code = character.codePointAt(0)!
    // Iteration goes by code points: a surrogate that comes out of it is half of a pair.
    result += code === 0 || (code >= 0xd800 && code <= 0xdfff) ? '\ufffd' : character
  }
  return result
}
