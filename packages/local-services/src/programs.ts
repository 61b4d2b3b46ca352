import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

export const run = promisify(execFile)

/** Full path of the first of these programs that is on PATH. */
export async function findProgram(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
      const program = path.join(folder, name)
      if (folder && (await isProgram(program))) return program
    }
  }
  return undefined
}

export async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** True when the command runs and ends well. */
export async function works(program: string, ...args: string[]): Promise<boolean> {
  try {
    await run(program, args)
    return true
  } catch {
    return false
  }
}

/** A program behind others that end by starting it, such as `unshare … --`. */
export function commandLine(
  prefix: readonly string[],
  program: string,
  programArgs: readonly string[],
): { file: string; args: string[] } {
  const [file = program, ...args] = [...prefix, program, ...programArgs]
  return { file, args }
}
