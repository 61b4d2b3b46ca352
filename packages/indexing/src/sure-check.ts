import type { LexUserType, Lexicons } from '@atproto/lexicon'
import { isDid, isObject, type JsonObject, type RecordJson } from '@millrace/stream-protocol'

/** True when the value is what its definition says, beyond doubt; false when only the full check can tell. */
type Check = (value: unknown) => boolean

/** A part of a lexicon, as its document has it: fields by name. */
type Definition = JsonObject

/**
 * Whether a record holds nothing but plain JSON and is what its lexicon says. Most records of a network are told right
 * by a few comparisons, which take a tenth of the time of the full check. Where this one is not sure (blobs, texts near
 * their limits, anything unusual), it says no, and the full check has the word: so nothing hangs on what it does not know.
 */
export function sureCheck(lexicons: Lexicons, collection: string): (json: RecordJson) => boolean {
  const { record } = lexicons.getDefOrThrow(collection, ['record']) as LexUserType & { record: Definition }
  const check = new Compiler(lexicons).check(record)
  return (json) => isPlain(json, 0) && check(json)
}

/** Deeper ones are left to the full check, which counts its own steps. */
const MOST_LEVELS = 32

/** No link, bytes or blob anywhere, and no key that means something to JavaScript: such a record is its own data. */
function isPlain(value: unknown, level: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (level > MOST_LEVELS) return false
  if (Array.isArray(value)) return value.every((item) => isPlain(item, level + 1))
  for (const key of Object.keys(value)) {
    const field = (value as JsonObject)[key]
    switch (key) {
      case '$type':
        if (field === 'blob') return false
        break
      case '$link':
      case '$bytes':
      case 'mimeType': // of a blob of the first days
      case '/': // of a link in another library's form
      case '__proto__':
        return false
    }
    if (!isPlain(field, level + 1)) return false
  }
  return true
}

const never: Check = () => false

class Compiler {
  readonly #lexicons: Lexicons
  /** Checks of what is referred to, by URI: made when they are first needed, as definitions may refer to themselves. */
  readonly #checks = new Map<string, Check>()

  constructor(lexicons: Lexicons) {
    this.#lexicons = lexicons
  }

  check(definition: Definition): Check {
    switch (definition['type']) {
      case 'object':
        return this.#object(definition)
      case 'array':
        return this.#array(definition)
      case 'string':
        return stringCheck(definition)
      case 'integer':
        return integerCheck(definition)
      case 'boolean':
        return definition['const'] === undefined ? (value) => typeof value === 'boolean' : never
      case 'unknown':
        return (value) => typeof value === 'object' && value !== null
      case 'ref':
        return this.#reference(definition['ref'] as string)
      case 'union':
        return this.#union(definition)
      default:
        return never
    }
  }

  #object({ properties = {}, required = [], nullable = [] }: Definition): Check {
    const fields = Object.entries(properties as Record<string, Definition>).map(([name, definition]) => ({
      name,
      check: this.check(definition),
      // What has a default gets it from the full check.
      mayLack: !(required as string[]).includes(name) && definition['default'] === undefined,
      mayBeNull: (nullable as string[]).includes(name),
    }))
    return (value) => {
      if (!isObject(value)) return false
      for (const { name, check, mayLack, mayBeNull } of fields) {
        const field = value[name]
        if (field === undefined ? mayLack : (field === null && mayBeNull) || check(field)) continue
        return false
      }
      return true
    }
  }

  #array({ items, minLength = 0, maxLength = Number.POSITIVE_INFINITY }: Definition): Check {
    const check = this.check(items as Definition)
    return (value) =>
      Array.isArray(value) &&
      value.length >= (minLength as number) &&
      value.length <= (maxLength as number) &&
      value.every(check)
  }

  #reference(uri: string): Check {
    return (value) => this.#checkOf(uri)(value)
  }

  #checkOf(uri: string): Check {
    let check = this.#checks.get(uri)
    if (!check) {
      const definition: unknown = this.#lexicons.getDef(uri)
      this.#checks.set(uri, (check = isObject(definition) ? this.check(definition) : never))
    }
    return check
  }

  #union({ refs, closed }: Definition): Check {
    const uris = new Map((refs as string[]).map((ref) => [typeOf(ref), ref]))
    return (value) => {
      const type = isObject(value) ? value['$type'] : undefined
      // In other forms one type has several names.
      if (typeof type !== 'string' || !/^[a-zA-Z0-9.-]+(?:#[a-zA-Z0-9]+)?$/.test(type) || type.endsWith('#main'))
        return false
      const uri = uris.get(type)
      return uri === undefined ? closed !== true : this.#checkOf(uri)(value)
    }
  }
}

/** `lex:a.b.c#main` is what values call `a.b.c`. */
function typeOf(ref: string): string {
  return ref.replace(/^lex:/, '').replace(/#main$/, '')
}

function integerCheck({
  const: only,
  enum: values,
  minimum = Number.NEGATIVE_INFINITY,
  maximum = Number.POSITIVE_INFINITY,
}: Definition): Check {
  if (only !== undefined || values !== undefined) return never
  return (value) =>
    Number.isInteger(value) && (value as number) >= (minimum as number) && (value as number) <= (maximum as number)
}

function stringCheck(definition: Definition): Check {
  const { const: only, enum: values, minLength, minGraphemes, maxLength, maxGraphemes, format } = definition
  if (only !== undefined || minLength !== undefined || minGraphemes !== undefined) return never
  const isOfFormat = format === undefined ? () => true : (formats[format as string] ?? never)
  // A UTF-16 unit is at most three bytes of UTF-8, and at most one grapheme.
  const most = Math.min(
    maxLength === undefined ? Number.POSITIVE_INFINITY : Math.floor((maxLength as number) / 3),
    maxGraphemes === undefined ? Number.POSITIVE_INFINITY : (maxGraphemes as number),
  )
  const known = values === undefined ? undefined : new Set(values as string[])
  return (value) =>
    typeof value === 'string' && value.length <= most && (known === undefined || known.has(value)) && isOfFormat(value)
}

/** Of each format the forms that are common. */
const formats: Readonly<Record<string, (text: string) => boolean>> = {
  did: isDid,
  datetime: matches(
    /^[1-9]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/,
  ),
  'at-uri': matches(
    /^at:\/\/did:plc:[a-z2-7]{24}\/[a-z]{2,20}(?:\.[a-z]{2,20}){1,4}\.[a-zA-Z]{2,40}\/[a-zA-Z0-9]{1,64}$/,
  ),
  // Version 1, SHA-256, as records (dag-cbor) and blobs (raw) have it: the last character has two bits to spare.
  cid: matches(/^baf(?:yrei|krei)[a-h][a-z2-7]{50}[aeimquy4]$/),
  language: matches(/^[a-z]{2,3}(?:-[A-Z]{2})?$/),
  uri: matches(/^https?:\/\/[a-zA-Z0-9][!-~]*$/),
}

function matches(form: RegExp): (text: string) => boolean {
  return (text) => form.test(text)
}
