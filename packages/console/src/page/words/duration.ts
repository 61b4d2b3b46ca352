const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const

/** `41 s`, `3 min`, `2 h 5 min`, `10 d`: as exact as anybody wants to know. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const at = units.findIndex(([, size]) => whole >= size)
  if (at === -1) return '0 s'
  const [unit, size] = units[at]!
  const count = Math.floor(whole / size)
  const next = units[at + 1]
  // The next smaller unit says something as long as there are few of the larger one.
  const rest = next && count < 10 && unit !== 'min' ? Math.floor((whole % size) / next[1]) : 0
  return rest > 0 ? `${count} ${unit} ${rest} ${next![0]}` : `${count} ${unit}`
}

/** How long ago a time is, for people. */
export function ago(time: string, now: number): string {
  const seconds = (now - Date.parse(time)) / 1_000
  return Number.isNaN(seconds) ? '' : seconds < 1 ? 'now' : `${duration(seconds)} ago`
}

/** How long it is until a time, for people. */
export function ahead(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1_000
  return Number.isNaN(seconds) ? '' : duration(seconds)
}
