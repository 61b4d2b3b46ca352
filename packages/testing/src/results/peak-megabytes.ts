import { readFile } from 'node:fs/promises'

/** Most memory that a process ever took. Linux remembers the peak; others would have to be asked all the time. */
export async function peakMegabytes(pid: number): Promise<number> {
  const status = process.platform === 'linux' ? await readFile(`/proc/${pid}/status`, 'utf8') : ''
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024
}
