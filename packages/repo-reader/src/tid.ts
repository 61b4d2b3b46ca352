const digits = '234567abcdefghijklmnopqrstuvwxyz'

/** The time of a TID, in milliseconds since 1970. It counts microseconds, and its last two digits are not of the time. */
export function tidMs(tid: string): number {
  let microseconds = 0
  for (const digit of tid.slice(0, 11)) microseconds = microseconds * 32 + digits.indexOf(digit)
  return microseconds / 1_000
}
