import { z } from 'zod'
import { parseDuration } from './parse-duration.ts'

/** What a variable is read with: takes the text of the environment, gives the value the program uses. */
export type ValueSchema<T> = z.ZodType<T, string>

/**
 * A schema from a sentence and a parser. The sentence stands in help, in docs and in the error for a bad value; the
 * parser says undefined to text that it does not take.
 */
export function value<T>(expects: string, parse: (text: string) => T | undefined): ValueSchema<T> {
  return z
    .string()
    .transform((text, context): T => {
      const parsed = parse(text.trim())
      if (parsed !== undefined) return parsed
      context.addIssue({ code: 'custom', message: expects })
      return z.NEVER
    })
    .describe(expects)
}

/** Any text that is not empty; `expects` says in messages what it is. */
export const text = (expects = 'text'): ValueSchema<string> => value(expects, (text) => text)

/** Digits and nothing else: `1e3`, `0x10`, `12ab` and `1.0` are typing errors, and `Number` would take three of them. */
export function integer({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) {
  const expects =
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`
  return value(expects, (text) => {
    const number = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined
  })
}

/** 0 lets the system choose a free port. */
export const port = (): ValueSchema<number> => integer({ min: 0, max: 65_535 })

/** One of some words, as they are written here. */
export function oneOf<const Word extends string>(...words: readonly Word[]): ValueSchema<Word> {
  return value(`one of ${words.join(', ')}`, (text) => words.find((word) => word === text))
}

const flags: Readonly<Record<string, boolean>> = { 1: true, true: true, yes: true, 0: false, false: false, no: false }

/** Yes or no: `1`, `true`, `yes`, `0`, `false`, `no`, in any case. */
export function flag(): ValueSchema<boolean> {
  return value('1, true, yes, 0, false or no', (text) => flags[text.toLowerCase()])
}

/** Entries are trimmed; empty ones (a comma at the end) are passed over. At least one has to remain. */
export function commaList(of = 'values'): ValueSchema<readonly string[]> {
  return value(`a comma-separated list of ${of}`, (text) => {
    const entries = splitCommas(text)
    return entries.length > 0 ? entries : undefined
  })
}

/** A time span with its unit, in milliseconds: `90s` is 90_000. */
export function duration(): ValueSchema<number> {
  return value('a duration such as 90s, 15m, 12h or 3d', parseDuration)
}

/** A duration, or one of some words that stand for none. */
export function durationOr<const Word extends string>(...words: readonly Word[]): ValueSchema<number | Word> {
  return value<number | Word>(
    `a duration such as 90s, 15m, 12h or 3d, or ${words.join(' or ')}`,
    (text) => words.find((word) => word === text) ?? parseDuration(text),
  )
}

/** A URL with one of some schemes, such as `postgres`. Kept as written. */
export function url(...schemes: readonly string[]): ValueSchema<string> {
  return value(`a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`, (text) =>
    isUrl(text, schemes) ? text : undefined,
  )
}

/** URLs with one of some schemes, each kept as written. */
export function urlList(...schemes: readonly string[]): ValueSchema<readonly string[]> {
  return value(
    `a comma-separated list of URLs that begin with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    (text) => {
      const urls = splitCommas(text)
      return urls.length > 0 && urls.every((each) => isUrl(each, schemes)) ? urls : undefined
    },
  )
}

/**
 * Servers of the network. `https://` is put before a bare host name, and `ws` becomes `http`: what differs in scheme
 * alone is one host with one cursor. Otherwise kept as written, because cursors are stored under the text.
 */
export function hostList(): ValueSchema<readonly string[]> {
  return value('a comma-separated list of hosts such as https://bsky.network, each named once', (text) => {
    const hosts = splitCommas(text).map((host) =>
      host.includes('://') ? host.replace(/^ws(s?):\/\//i, 'http$1://') : `https://${host}`,
    )
    const distinct = new Set(hosts.map((host) => host.replace(/^https?:\/\//, '')))
    const good = hosts.every((host) => isUrl(host, ['http', 'https'])) && distinct.size === hosts.length
    return good && hosts.length > 0 ? hosts : undefined
  })
}

function splitCommas(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function isUrl(text: string, schemes: readonly string[]): boolean {
  return URL.canParse(text) && schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}://`))
}
