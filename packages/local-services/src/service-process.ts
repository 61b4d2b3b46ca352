import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import type { Account } from './account.ts'
import { LocalServiceError } from './errors.ts'
import { commandLine, works } from './programs.ts'

/** The part of a pino logger that is used here. */
export interface ServiceLogger {
  debug(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ServiceProcessOptions {
  service: 'Postgres' | 'Redis'
  program: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  account: Account
  /** What asks the program to end, and what it gets when we die. */
  stopSignal: 'SIGINT' | 'SIGTERM'
  isReady: (line: string) => boolean
  /** How long it may take until it is ready, in milliseconds. Repair after a crash can be long. @default 120_000 */
  readyTimeoutMs?: number
  logger?: ServiceLogger | undefined
}

const KEPT_LINES = 20

/** A program that runs beside us until it is stopped, and never longer than we do. */
export class ServiceProcess {
  readonly #options: ServiceProcessOptions
  readonly #child: ChildProcess
  readonly #ended: Promise<string>
  readonly #output: string[] = []
  #stopping = false

  private constructor(options: ServiceProcessOptions, child: ChildProcess) {
    this.#options = options
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message))
      // Not `exit`: the last lines say why it ended.
      child.once('close', (code, signal) => resolve(signal ? `it got ${signal}` : `exit code ${code}`))
    })
  }

  /** Resolves when the program is ready. */
  static async start(options: ServiceProcessOptions): Promise<ServiceProcess> {
    const { account, program, stopSignal } = options
    const dying = await dieWithParent(stopSignal)
    const { file, args } = commandLine([...account.prefix, ...dying], program, options.args)
    const child = spawn(file, args, {
      cwd: '/', // so that it holds no folder of ours
      env: options.env,
      detached: true, // Ctrl-C is for us first: we end the service when we no longer need it
      stdio: ['ignore', 'pipe', 'pipe'],
      ...account.owner,
    })
    const service = new ServiceProcess(options, child)
    if (dying.length === 0 && child.pid !== undefined) watchOver(child, stopSignal)
    await service.#ready()
    return service
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** The last lines it wrote. */
  get output(): readonly string[] {
    return this.#output
  }

  /** Asks the program to end and waits for it; kills it after ten seconds. */
  async stop(signal: NodeJS.Signals = this.#options.stopSignal): Promise<void> {
    this.#stopping = true
    this.#child.kill(signal)
    const patience = new AbortController()
    const late = wait(10_000, true, { signal: patience.signal }).catch(() => false)
    const killed = late.then((isLate) => isLate && this.#child.kill('SIGKILL'))
    await this.#ended
    patience.abort()
    await killed
  }

  async #ready(): Promise<void> {
    const { service, isReady, readyTimeoutMs = 120_000, logger } = this.#options
    const patience = new AbortController()
    const ready = new Promise<void>((resolve) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        if (!stream) continue
        createInterface(stream).on('line', (line) => {
          this.#output.push(line)
          if (this.#output.length > KEPT_LINES) this.#output.shift()
          if (/\b(WARNING|FATAL|PANIC):/.test(line)) logger?.warn({ line }, service)
          else logger?.debug({ line }, service)
          if (isReady(line)) resolve()
        })
      }
    })
    const problem = await Promise.race([
      ready,
      this.#ended,
      wait(readyTimeoutMs, `it was not ready after ${readyTimeoutMs / 1000} s`, { signal: patience.signal }).catch(
        () => undefined,
      ),
    ])
    patience.abort()
    if (problem !== undefined) {
      await this.stop('SIGKILL')
      const message = `cannot start ${service} (${this.#options.program}): ${problem}`
      throw new LocalServiceError(service, message, { output: this.#output })
    }
    void this.#ended.then((reason) => {
      if (!this.#stopping) logger?.error({ reason, output: this.#output }, `${service} ended by itself`)
    })
  }
}

let canSetDeathSignal: Promise<boolean> | undefined

/** What stands before a program so that the kernel ends it when we end, in whatever way; empty where that is not possible. */
async function dieWithParent(signal: 'SIGINT' | 'SIGTERM'): Promise<string[]> {
  canSetDeathSignal ??= works('setpriv', '--pdeathsig', 'TERM', '--', 'true')
  return (await canSetDeathSignal) ? ['setpriv', '--pdeathsig', signal.slice('SIG'.length), '--'] : []
}

/** The same where the kernel does not help (macOS): a shell waits for the end of a pipe that only we hold open. */
function watchOver(child: ChildProcess, signal: 'SIGINT' | 'SIGTERM'): void {
  const script = 'read line || kill -s "$1" "$2"'
  const shell = spawn('/bin/sh', ['-c', script, 'sh', signal.slice('SIG'.length), String(child.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  shell.stdin.on('error', () => undefined) // it may be gone before we tell it that nothing is left to do
  child.once('exit', () => shell.stdin.end('done\n'))
}
