import { hastened } from '@millrace/failpoints'
import { Backoff, sleep, type BackoffOptions, type Logger, type Loop } from '@millrace/stream-protocol'
import { isAbort } from './is-abort.ts'

export interface LoopRunnerOptions {
  /** How often in a row a loop is run again before its failure is that of the process. @default 5 */
  restarts?: number
  /** Pauses before that. @default { minMs: 1_000, maxMs: 30_000 } */
  backoff?: BackoffOptions
  /** After running for so long it is taken for well again, in milliseconds. @default 1 min */
  wellMs?: number
  /** How long it may have work in hand and take no step, in milliseconds. @default 10 min */
  stuckMs?: number
  /** How long one that is stuck is given to end once it is told to, in milliseconds. @default 30_000 */
  graceMs?: number
}

/** A loop that had work in hand took no step for long. */
class StuckLoopError extends Error {
  override readonly name: string = 'StuckLoopError'
  constructor(ms: number, more = '') {
    super(`it has work in hand and took no step for ${Math.round(ms / 1_000)} s${more}`)
  }
}

/** It was told to end, and did not. */
class HangingLoopError extends StuckLoopError {
  override readonly name = 'HangingLoopError'
  constructor(ms: number) {
    super(ms, ', and did not end when it was told to')
  }
}

/**
 * Keeps one loop running: runs it once more when it fails, and aborts it when it is stuck. One that is stuck and does not
 * even end then nobody here can mend, so that its process has to end (hazard G11).
 */
export class LoopRunner {
  readonly #loop: Loop
  readonly #logger: Logger
  readonly #options: Required<LoopRunnerOptions>
  #failure: unknown
  #runsSince: number | undefined

  constructor(
    loop: Loop,
    logger: Logger,
    {
      restarts = 5,
      backoff = { minMs: hastened(1_000), maxMs: hastened(30_000) },
      wellMs = hastened(60_000),
      stuckMs = hastened(10 * 60_000),
      graceMs = 30_000,
    }: LoopRunnerOptions = {},
  ) {
    this.#loop = loop
    this.#logger = logger
    this.#options = { restarts, backoff, wellMs, stuckMs, graceMs }
  }

  /** Why the loop has failed last, until it is well again. */
  get failure(): unknown {
    return this.#isWell() ? undefined : this.#failure
  }

  /** Whether it has work in hand and has taken no step for long. */
  get isStuck(): boolean {
    return this.#stuckMs() !== undefined
  }

  /** Resolves once the loop is done, or the signal is aborted; rejects when it is not to be kept running. */
  async run(signal: AbortSignal): Promise<void> {
    const { restarts, backoff } = this.#options
    const pauses = new Backoff(backoff)
    const { name } = this.#loop
    for (;;) {
      this.#runsSince = performance.now()
      try {
        return await this.#runOnce(signal)
      } catch (error) {
        // Being stopped is no failure, however a loop tells it.
        if (signal.aborted && isAbort(error, signal)) return
        if (this.#isWell()) pauses.reset()
        this.#runsSince = undefined
        this.#failure = error
        this.#logger.error({ loop: name, err: error, restarts: pauses.attempt }, 'loop failed')
        if (signal.aborted || pauses.attempt >= restarts || error instanceof HangingLoopError) throw error
      }
      await sleep(pauses.nextMs(), signal)
      if (signal.aborted) return
      this.#logger.warn({ loop: name, restarts: pauses.attempt }, 'running the loop again')
    }
  }

  #isWell(): boolean {
    return this.#runsSince !== undefined && performance.now() - this.#runsSince > this.#options.wellMs
  }

  /** For how long it has been stuck, in milliseconds. */
  #stuckMs(): number | undefined {
    const lastStepAt = this.#loop.lastStepAt?.() ?? null
    const ms = lastStepAt === null ? 0 : performance.now() - lastStepAt
    return ms > this.#options.stuckMs ? ms : undefined
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const { stuckMs, graceMs } = this.#options
    const stuck = new AbortController()
    const hanging = Promise.withResolvers<never>()
    let grace: NodeJS.Timeout | undefined
    const look = (): void => {
      const ms = this.#stuckMs()
      if (ms === undefined || stuck.signal.aborted) return
      stuck.abort(new StuckLoopError(ms))
      grace = setTimeout(() => hanging.reject(new HangingLoopError(ms)), graceMs)
    }
    const watch = setInterval(look, Math.min(5_000, stuckMs / 4))
    try {
      const running = this.#loop.run(AbortSignal.any([signal, stuck.signal]))
      await Promise.race([running, hanging.promise])
      if (!signal.aborted) stuck.signal.throwIfAborted()
    } finally {
      clearInterval(watch)
      clearTimeout(grace)
    }
  }
}
