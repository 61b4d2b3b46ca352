/**
 * Keys, and texts in lists, that begin with an escape or with our mark. Nothing within a text looks like one: a quote has
 * a backslash before it there.
 */
const inDoubt = /([{,[]\s*")(?=[\\~])/g

/**
 * `JSON.parse`, past a mistake of V8 (13.6, in Node 24): once it has parsed an object with the key `\`, it takes every
 * key in that place that begins with an escape for it. A mark before the escape hides it, and is taken away afterwards.
 *
 * @throws {SyntaxError} as `JSON.parse` does; a `RangeError` on levels without end.
 */
export function parseJson(text: string): unknown {
  const { json, restore } = markEscapes(text)
  return restore(JSON.parse(json))
}

/** The same in two steps, for who looks at the levels between them: `restore` calls itself for each. */
export function markEscapes(text: string): { json: string; restore: (parsed: unknown) => unknown } {
  // Hardly any text has it.
  const json = text.includes('"\\') ? text.replace(inDoubt, '$1~') : text
  return { json, restore: json.length === text.length ? (parsed) => parsed : withoutMarks }
}

function withoutMarks(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value))
    return value.map((inner: unknown) => (typeof inner === 'string' ? withoutMark(inner) : withoutMarks(inner)))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [withoutMark(key), withoutMarks(inner)]))
}

const withoutMark = (text: string): string => (text.startsWith('~') ? text.slice(1) : text)
