import { spawn } from 'node:child_process'

export interface RunOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
}

/**
 * Runs a command to its end.
 * @returns what it wrote on standard output.
 * @throws {Error} with all that it wrote, when it ends with anything but 0.
 */
export function runCommand(command: string, args: readonly string[], { cwd, env }: RunOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let all = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => ((out += text), (all += text)))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (all += text))
  child.on('error', reject)
  child.on('close', (code) => {
    if (code === 0) resolve(out)
    else reject(new Error(`${command} ${args.join(' ')} ended with ${code}\n${all.trim()}`))
  })
  return promise
}
