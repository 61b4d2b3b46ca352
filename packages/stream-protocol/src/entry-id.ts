/** The millisecond at which a stream entry was appended, read from its id. */
export function entryTime(id: string): number {
  return Number(id.slice(0, id.indexOf('-')))
}

/** Ids are `<milliseconds>-<number>`; both parts may exceed what a number holds exactly. */
export function compareIds(one: string, other: string): number {
  const [oneMs = 0n, oneSeq = 0n] = one.split('-').map(BigInt)
  const [otherMs = 0n, otherSeq = 0n] = other.split('-').map(BigInt)
  const difference = oneMs === otherMs ? oneSeq - otherSeq : oneMs - otherMs
  return difference === 0n ? 0 : difference > 0n ? 1 : -1
}

const LAST_NUMBER = '18446744073709551615'

/** The greatest id below this one, so that what comes after it begins here. No entry is `0-0`. */
export function idBefore(id: string): string {
  const [ms = '0', number = '0'] = id.split('-')
  return number === '0' ? `${BigInt(ms) - 1n}-${LAST_NUMBER}` : `${ms}-${BigInt(number) - 1n}`
}
