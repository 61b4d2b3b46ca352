import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { sleep, type Logger } from '@millrace/stream-protocol'
import type { Environment } from './config.ts'
import type { Health, HealthReport } from './health.ts'
import { describeError, oneLine } from './redact.ts'

const run = promisify(execFile)

export interface ServiceManagerOptions {
  /** `NOTIFY_SOCKET` and `WATCHDOG_USEC` are what systemd says, and `PATH` where its command is. */
  env: Environment
  health: Health
  logger: Logger
  /** How often it is looked whether the loops run, in milliseconds. @default 250 */
  startMs?: number
}

/** How often it is told how the process stands where nobody waits for it, in milliseconds. */
const STATUS_MS = 30_000

/**
 * Tells systemd how a process stands, where it asks (`Type=notify`): that it is ready once its loops run, in words how it
 * is, and, for its watchdog, that it gets on. It is not told so while a loop has work in hand and takes no step, nor while
 * this process does not turn: then systemd ends it, as the last one who can (hazard G11).
 *
 * Node cannot write to the socket itself, so `systemd-notify` does: the unit needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #env: Environment
  readonly #health: Health
  readonly #logger: Logger
  readonly #startMs: number
  readonly #everyMs: number
  #hasWarned = false

  private constructor({ env, health, logger, startMs = 250 }: ServiceManagerOptions) {
    this.#env = env
    this.#health = health
    this.#logger = logger
    this.#startMs = startMs
    const watchdogMs = Number(env['WATCHDOG_USEC']) / 1_000
    // Twice within the time that systemd waits, and once more for a machine that is busy.
    this.#everyMs = watchdogMs > 0 ? Math.min(STATUS_MS, watchdogMs / 3) : STATUS_MS
  }

  /** @returns undefined where no service manager asks. */
  static of(options: ServiceManagerOptions): ServiceManager | undefined {
    return options.env['NOTIFY_SOCKET'] ? new ServiceManager(options) : undefined
  }

  /** Tells, until the signal is aborted, and then that the process stops. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#health.isRunning) await sleep(this.#startMs, signal)
    if (!signal.aborted) await this.#tell('--ready', await this.#status())
    while (!signal.aborted) {
      await sleep(this.#everyMs, signal)
      if (signal.aborted) break
      const stuck = this.#health.stuckLoop()
      if (stuck === undefined) await this.#tell('WATCHDOG=1', await this.#status())
      else await this.#tell(`--status=${stuck} has work in hand and takes no step`)
    }
    await this.#tell('STOPPING=1', '--status=finishing what is in hand')
  }

  async #status(): Promise<string> {
    return `--status=${statusOf(await this.#health.report())}`
  }

  async #tell(...words: readonly string[]): Promise<void> {
    const { NOTIFY_SOCKET, PATH } = this.#env
    try {
      await run('systemd-notify', words, { env: { NOTIFY_SOCKET, PATH }, timeout: 10_000 })
    } catch (error) {
      if (this.#hasWarned) return
      this.#hasWarned = true
      this.#logger.warn({ reason: describeError(error) }, 'cannot tell systemd how this process stands')
    }
  }
}

/** `ready`, or what is not as it should be, in one line. */
function statusOf({ status, checks }: HealthReport): string {
  const reasons = Object.entries(checks).flatMap(([name, { reason }]) => (reason ? [`${name}: ${reason}`] : []))
  return oneLine([status, ...reasons].join('; '), 200)
}
