/**
 * Keys with an escape in them, and those that begin with our mark. Nothing within a text looks like the beginning of
 * one: a quote has a backslash before it there.
 */
const inDoubt = /([{,]\s*)"((?:~|[^"\\]*\\.)(?:[^"\\]|\\.)*)"(?=\s*:)/gs

/**
 * `JSON.parse`, past a mistake of V8 (13.6, in Node 24): it takes a key with an escape for one that other objects had in
 * that place, when the first characters of its spelling are that key. After an object with the key `\` was parsed, keys
 * that begin with an escape are read as that. Such keys are spelled in another way here, and turned back afterwards.
 *
 * @throws {SyntaxError} as `JSON.parse` does; a `RangeError` on levels without end.
 */
export function parseJson(text: string): unknown {
  const { json, restore } = spellKeys(text)
  return restore(JSON.parse(json))
}

/** The same in two steps, for who looks at the levels between them: `restore` calls itself for each. */
export function spellKeys(text: string): { json: string; restore: (parsed: unknown) => unknown } {
  // Hardly any text has such keys, and few have an escape at all.
  if (!text.includes('\\') || !inDoubt.test(text)) return { json: text, restore: (parsed) => parsed }
  inDoubt.lastIndex = 0
  const json = text.replace(inDoubt, (whole: string, before: string, key: string) => {
    try {
      return `${before}"~${hex(JSON.parse(`"${key}"`) as string)}"`
    } catch {
      // No JSON: the parser says so.
      return whole
    }
  })
  return { json, restore: restoreKeys }
}

function restoreKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(restoreKeys)
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.startsWith('~') ? unhex(key.slice(1)) : key, restoreKeys(inner)]),
  )
}

/** UTF-16 code units, so that halves of pairs stay what they are. */
const hex = (text: string): string => Buffer.from(text, 'utf16le').toString('hex')
const unhex = (text: string): string => Buffer.from(text, 'hex').toString('utf16le')
