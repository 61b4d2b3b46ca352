/** The year 1970 stands for times that cannot be read: sorted to the end, never to the top. */
const EPOCH = '1970-01-01T00:00:00.000Z'

/** The form itself. Days beyond the 28th are looked at more closely: not every month has them. */
const canonical = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/
/** What else is a time: of the forms of ISO 8601, and nothing that would be read by the machine's own language or zone. */
const time = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?)\d*)?(?:[Zz]|([+-]\d\d):?(\d\d))?)?$/

/**
 * A time as every column has it: UTC with milliseconds. A missing zone is read as UTC; more digits than milliseconds
 * are cut. What is no time, or lies outside the years 0001 to 9999, is the epoch (hazard J10).
 */
export function canonicalTime(text: string | undefined): string {
  return parseTime(text) ?? EPOCH
}

/** Like `canonicalTime`, but says when it could not be read. */
export function parseTime(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 64) return undefined
  if (canonical.test(text)) return text
  const [, date, clock = '00:00', seconds = '00', hours, minutes] = time.exec(text) ?? []
  if (date === undefined) return undefined
  const moment = new Date(`${date}T${clock}:${seconds}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`)
  const year = moment.getUTCFullYear()
  return Number.isNaN(year) || year < 1 || year > 9999 ? undefined : moment.toISOString()
}

/**
 * A time as text that sorts as instants do: like `canonicalTime`, with nine digits of a second. The first 23 characters
 * are those of the canonical form.
 */
export function instant(text: string | undefined): string {
  const time = parseTime(text)
  const digits = time === undefined ? '' : (/:\d\d\.(\d+)/.exec(text!)?.[1] ?? '')
  return `${(time ?? EPOCH).slice(0, -1)}${digits.slice(3, 9).padEnd(6, '0')}Z`
}

/** When we say that something was seen: the upstream's own time, but never later than our clock. */
export function indexedTime(upstream: string, now: string): string {
  const time = parseTime(upstream)
  return time === undefined || time > now ? now : time
}

/** The account part of an AT-URI, as it stands there: a DID, or a handle. */
export function uriAuthority(uri: string): string {
  const start = uri.startsWith('at://') ? 5 : 0
  const end = uri.indexOf('/', start)
  return end === -1 ? uri.slice(start) : uri.slice(start, end)
}

/** The collection part of an AT-URI; empty when it has none. */
export function uriCollection(uri: string): string {
  return uri.split('/', 4)[3] ?? ''
}

/** The record key of an AT-URI; empty when it has none. */
export function uriRkey(uri: string): string {
  return uri.split('/', 5)[4] ?? ''
}

/** Byte order, which is the order of revisions and of record URIs in every collation of ours. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
