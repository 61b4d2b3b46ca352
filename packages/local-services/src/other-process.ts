import { readFile } from 'node:fs/promises'
import { errorCode } from './errors.ts'
import { run } from './programs.ts'

/** True when the process runs and its command line matches: ids are used again, soonest in containers. */
export async function isRunning(pid: number, command: RegExp): Promise<boolean> {
  return isAlive(pid) && command.test(await commandOf(pid))
}

export function isAlive(pid: number): boolean {
  try {
    return Number.isInteger(pid) && pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

async function commandOf(pid: number): Promise<string> {
  if (process.platform === 'linux') return readText(`/proc/${pid}/cmdline`)
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout
}

/** The text of a file; empty when there is none. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    // A process that ended while we read has ESRCH.
    if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return ''
    throw error
  }
}
