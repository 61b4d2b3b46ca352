import { failpoints, type Failpoint } from './failpoints.ts'
import { chosen } from './chosen.ts'

const [name, times = '1'] = (process.env['MILLRACE_FAILPOINT'] ?? '').split(':') as [string, string?]
const [armed] = chosen('MILLRACE_FAILPOINT', name === '' ? [] : [name], failpoints)
let left = Number(times)

/** A place where a test may kill this process, as a power cut would: nothing is flushed, nothing is closed. */
export function failpoint(place: Failpoint): void {
  if (place !== armed) return
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}
