import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/**
 * Measures a system in a process of its own, so that none runs in the heap and the compiled code of another. The last
 * line that it prints is its measurement, as JSON.
 */
export async function runChild<T>(file: string, name: string, options: object): Promise<T> {
  const child = spawn(process.execPath, [...process.execArgv, file, name, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>])
  const lastLine = output.trimEnd().split('\n').at(-1)
  if (code !== 0 || !lastLine) throw new Error(`${name} ended with exit code ${code}, its output above`)
  return JSON.parse(lastLine) as T
}
