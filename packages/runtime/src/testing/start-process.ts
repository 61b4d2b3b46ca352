import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface StartProcessOptions {
  /** The script: a built one, or a source file (`.ts`), which then imports the sources of other packages too. */
  main: string
  args?: readonly string[]
  /** The whole environment, besides `PATH`. `METRICS_PORT` is 0 unless it is set. */
  env?: Readonly<Record<string, string>>
}

/** A process of the pipeline that was started by a test. It is killed when it is disposed of. */
export interface StartedProcess extends AsyncDisposable {
  readonly pid: number
  /** What it has written so far. */
  output(): { stdout: string; stderr: string }
  /** Resolves once standard output has matched; rejects when the process ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** The port of `/metrics` and `/readyz`, once it is open. */
  metricsPort(): Promise<number>
  kill(signal: NodeJS.Signals): void
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** Starts a process as an operator would, with nothing of this one's environment. */
export function startProcess({ main, args = [], env = {} }: StartProcessOptions): StartedProcess {
  const conditions = main.endsWith('.ts') || main.endsWith('.mjs') ? ['--conditions=@millrace/source'] : []
  const child = spawn(process.execPath, [...conditions, main, ...args], {
    env: { PATH: process.env['PATH'], METRICS_PORT: '0', METRICS_HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? 1)
  let hasEnded = false
  void ended.then(() => (hasEnded = true))

  const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = pattern.exec(stdout)
      if (found) return found
      if (hasEnded) throw new Error(`the process ended and had not printed ${pattern}:\n${stdout}${stderr}`)
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  return {
    pid: child.pid ?? 0,
    output: () => ({ stdout, stderr }),
    printed,
    metricsPort: async () => Number((await printed(/"port":(\d+),"version"/))[1]),
    kill: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill('SIGKILL')
      await ended
    },
  }
}
