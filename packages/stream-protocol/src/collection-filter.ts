import { isNsid } from './check.ts'

const wildcard = /^((?:[a-zA-Z0-9-]{1,63}\.)+)\*$/

/**
 * Which collections are taken: names such as `app.bsky.feed.post`, all below a name (`app.bsky.*`), or all (`*`). A
 * value: two filters that take the same have the same patterns.
 */
export class CollectionFilter {
  static readonly all = new CollectionFilter(['*'])
  /** Sorted, none of them within another one. */
  readonly patterns: readonly string[]
  readonly #names: ReadonlySet<string>
  readonly #prefixes: readonly string[]

  /** @throws {TypeError} for what is no pattern, and for none. */
  constructor(patterns: readonly string[]) {
    for (const pattern of patterns)
      if (!isPattern(pattern)) throw new TypeError(`not a collection: ${JSON.stringify(pattern.slice(0, 300))}`)
    if (patterns.length === 0) throw new TypeError('a filter of collections has to take one at least')
    const distinct = [...new Set(patterns)].sort()
    this.patterns = distinct.filter(
      (pattern) => !distinct.some((wider) => wider !== pattern && isWithin(pattern, wider)),
    )
    this.#names = new Set(this.patterns.filter((pattern) => !pattern.endsWith('*')))
    this.#prefixes = this.patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  }

  /** Whether it takes records of a collection. */
  has(collection: string): boolean {
    return this.#names.has(collection) || this.#prefixes.some((prefix) => collection.startsWith(prefix))
  }

  /** Whether it takes everything that another one takes. */
  covers(other: CollectionFilter): boolean {
    return other.patterns.every((pattern) => this.patterns.some((own) => isWithin(pattern, own)))
  }

  /** Its patterns with commas between them, as settings and variables have them. */
  toString(): string {
    return this.patterns.join(',')
  }
}

function isPattern(text: string): boolean {
  return text === '*' || isNsid(text) || wildcard.test(text)
}

function isWithin(pattern: string, wider: string): boolean {
  return pattern === wider || (wider.endsWith('*') && pattern.startsWith(wider.slice(0, -1)))
}
