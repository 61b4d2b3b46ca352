const text = process.env['MILLRACE_HASTE'] ?? '1'
const times = Number(text)
if (!(times >= 1)) throw new TypeError(`MILLRACE_HASTE: ${text} is not a number from 1`)
if (times > 1) process.stderr.write(`millrace: MILLRACE_HASTE is set: ${text}. This is for tests alone.\n`)

/** A time to wait, in milliseconds; so much shorter in a test of what takes minutes or days. */
export function hastened(ms: number): number {
  return ms / times
}
