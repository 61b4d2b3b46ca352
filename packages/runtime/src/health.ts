import { describeError } from './redact.ts'

/**
 * Asks one thing. It rejects when the process cannot serve, and may resolve with a sentence when it serves, but not
 * as it should (`degraded`).
 */
export type Check = (signal: AbortSignal) => Promise<string | void> | string | void

/** What came of a check. */
export interface CheckResult {
  status: 'ok' | 'degraded' | 'failing'
  /** Why, for people; without secrets. */
  reason?: string
}

/** How a process stands, as `/readyz` answers. */
export interface HealthReport {
  /** `starting` until the first check is added, `stopping` from the signal on. */
  status: 'ready' | 'degraded' | 'failing' | 'starting' | 'stopping'
  checks: Record<string, CheckResult>
}

/** The checks of a process by name. Parts add theirs as they are put together (hazards O5, M11). */
export class Health {
  readonly #checks = new Map<string, Check>()
  readonly #running = new Map<string, Promise<CheckResult>>()
  readonly #timeoutMs: number
  #stopping = false
  #findStuck: (() => string | undefined) | undefined

  constructor({ timeoutMs = 2_000 }: { timeoutMs?: number } = {}) {
    this.#timeoutMs = timeoutMs
  }

  /** Adds a check, or replaces the one of that name. */
  add(name: string, check: Check): void {
    this.#checks.set(name, check)
  }

  /** From now on its loops run. `findStuck` gives the name of one that has work in hand and takes no step. */
  running(findStuck: () => string | undefined): void {
    this.#findStuck = findStuck
  }

  /** Whether its loops run. */
  get isRunning(): boolean {
    return this.#findStuck !== undefined
  }

  /** The name of a loop that has work in hand and takes no step; undefined while all get on or have nothing to do. */
  stuckLoop(): string | undefined {
    return this.#findStuck?.()
  }

  /** From now on the process is not ready, so that nothing new is sent to it. */
  stopping(): void {
    this.#stopping = true
  }

  /** Makes all checks at once, each with its time limit. Never rejects. */
  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await this.#run(name, check)] as const),
    )
    return { status: this.#overall(results.map(([, result]) => result)), checks: Object.fromEntries(results) }
  }

  #overall(results: readonly CheckResult[]): HealthReport['status'] {
    if (this.#stopping) return 'stopping'
    if (results.length === 0) return 'starting'
    if (results.some(({ status }) => status === 'failing')) return 'failing'
    return results.some(({ status }) => status === 'degraded') ? 'degraded' : 'ready'
  }

  /** One run of a check at a time, however many ask: probes must not pile up on a store that hangs. */
  #run(name: string, check: Check): Promise<CheckResult> {
    const running = this.#running.get(name)
    if (running) return running
    const run = this.#ask(check).finally(() => this.#running.delete(name))
    this.#running.set(name, run)
    return run
  }

  async #ask(check: Check): Promise<CheckResult> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const late = Promise.withResolvers<never>()
    const onLate = (): void => late.reject(new Error(`no answer within ${this.#timeoutMs} ms`))
    signal.addEventListener('abort', onLate, { once: true })
    try {
      const reason = await Promise.race([(async () => check(signal))(), late.promise])
      return reason ? { status: 'degraded', reason } : { status: 'ok' }
    } catch (error) {
      return { status: 'failing', reason: describeError(error) }
    } finally {
      signal.removeEventListener('abort', onLate)
    }
  }
}
