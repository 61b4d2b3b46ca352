import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export type AppName = 'ingester' | 'backfiller' | 'indexer' | 'admin'

const root = path.resolve(import.meta.dirname, '../../..')

/** One app as a process of its own, as it is deployed, or from source. */
export class AppProcess implements AsyncDisposable {
  readonly name: AppName
  readonly #env: Readonly<Record<string, string>>
  readonly #form: 'source' | 'built'
  #child: ChildProcess | undefined
  #output = ''

  constructor(name: AppName, env: Readonly<Record<string, string>>, form: 'source' | 'built') {
    this.name = name
    this.#env = env
    this.#form = form
  }

  start(): void {
    const folder = path.join(root, 'apps', this.name)
    const args =
      this.#form === 'built'
        ? [path.join(folder, 'dist/main.js')]
        : ['--conditions=@millrace/source', path.join(folder, 'src/main.ts')]
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], METRICS_PORT: '0', METRICS_HOST: '127.0.0.1', LOG_LEVEL: 'warn', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const keep = (chunk: Buffer): void => void (this.#output = (this.#output + chunk.toString()).slice(-20_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    this.#child = child
  }

  /** The end of what it wrote. */
  get output(): string {
    return this.#output
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Ends it the way a machine that loses power does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** @returns the exit code of a graceful stop. */
  async stop(): Promise<number | null> {
    await this.#end('SIGTERM')
    return this.#child?.exitCode ?? null
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || !this.isRunning) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await Promise.race([gone, wait(35_000)])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGKILL')
  }
}
