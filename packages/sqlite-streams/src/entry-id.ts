/** Sequence numbers for one millisecond. Up to the year 2248 the numbers stay exact in JavaScript. */
const PER_MS = 1024

/** The id of an entry as the outside sees it, of the form that Redis uses: `<milliseconds>-<number>`. */
export function idOfSeq(seq: number): string {
  return `${Math.floor(seq / PER_MS)}-${seq % PER_MS}`
}

/** The inverse of `idOfSeq`; undefined for what is no id of ours. */
export function seqOfId(id: string): number | undefined {
  const match = /^(\d{1,13})-(\d{1,4})$/.exec(id)
  if (!match) return undefined
  const [, ms, n] = match
  return Number(n) < PER_MS ? Number(ms) * PER_MS + Number(n) : undefined
}

/**
 * The next sequence number: that of the present moment, or the one after the last when the clock stands still, goes
 * back, or more than 1024 entries came in one millisecond.
 */
export function nextSeq(last: number, nowMs: number): number {
  return Math.max(last + 1, nowMs * PER_MS)
}

/** The last number that an id of any store is not before: what comes after it, comes after the id. */
export function seqAtOrBefore(id: string): number {
  const [ms = '', n = '0'] = id.split('-')
  return Number(ms) * PER_MS + Math.min(Number(n), PER_MS - 1)
}
