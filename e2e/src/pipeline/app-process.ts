import path from 'node:path'
import { startProcess, type StartedProcess } from '@millrace/runtime/testing'

export type AppName = 'ingester' | 'backfiller' | 'indexer' | 'admin'

const apps = path.resolve(import.meta.dirname, '../../../apps')

/** One app that can be ended and started again, as it is deployed, or from source. */
export class AppProcess implements AsyncDisposable {
  readonly name: AppName
  readonly #env: Readonly<Record<string, string>>
  readonly #main: string
  #process: StartedProcess | undefined
  #hasEnded = false

  constructor(name: AppName, env: Readonly<Record<string, string>>, form: 'source' | 'built') {
    this.name = name
    this.#env = env
    this.#main = path.join(apps, name, form === 'built' ? 'dist/main.js' : 'src/main.ts')
  }

  /** @param env further variables, for this time alone. */
  start(env: Readonly<Record<string, string>> = {}): void {
    const started = startProcess({ main: this.#main, env: { LOG_LEVEL: 'warn', ...this.#env, ...env } })
    this.#process = started
    this.#hasEnded = false
    void started.ended.then(() => {
      if (this.#process === started) this.#hasEnded = true
    })
  }

  /** The end of what it wrote. */
  get output(): string {
    const { stdout = '', stderr = '' } = this.#process?.output() ?? {}
    return (stdout + stderr).slice(-20_000)
  }

  /** Of the process that was started last; 0 before. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#process !== undefined && !this.#hasEnded
  }

  /** The port of its metrics, once it is open; needs `LOG_LEVEL` to be `info`. */
  async metricsPort(): Promise<number> {
    if (!this.#process) throw new Error(`${this.name} was not started`)
    return await this.#process.metricsPort()
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  /** The exit code, or the signal that ended it; at once when it was never started. */
  async ended(): Promise<number | NodeJS.Signals | undefined> {
    return this.#process?.ended
  }

  /** Ends it the way a machine that loses power does. */
  async kill(): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.#process?.ended
  }

  /** @returns the exit code of a graceful stop, or the signal that ended it. */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    this.#process?.kill('SIGTERM')
    return this.#process?.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]()
  }
}
