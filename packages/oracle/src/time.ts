const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[zZ]|([+-])(\d\d):?(\d\d))?$/

/**
 * A time as columns have it: UTC with milliseconds, further digits cut, UTC where no zone is said. What is no time, or
 * not in the years 1 to 9999, is the beginning of 1970.
 */
export function canonicalTime(text: string): string {
  const epoch = new Date(0).toISOString()
  const parts = form.exec(text)
  if (!parts) return epoch
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part)) as Six
  const [digits = '', sign, zoneHour = '0', zoneMinute = '0'] = parts.slice(7)
  const time = new Date(0)
  time.setUTCFullYear(year, month - 1, day)
  const isDay = time.getUTCMonth() === month - 1 && time.getUTCDate() === day
  time.setUTCHours(hour, minute, second, Number(digits.padEnd(3, '0').slice(0, 3)))
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1)
  const moment = new Date(time.getTime() - offset * 60_000)
  const isTime = isDay && hour < 24 && minute < 60 && second < 60
  const isInRange = moment.getUTCFullYear() >= 1 && moment.getUTCFullYear() <= 9999
  return isTime && isInRange ? moment.toISOString() : epoch
}

type Six = [number, number, number, number, number, number]

/** The earlier of two canonical times. */
export function earlier(a: string, b: string): string {
  return a < b ? a : b
}
