import { noMeter, silentLogger, type Logger, type Loop, type Meter } from '@millrace/stream-protocol'
import type { Health } from './health.ts'
import { LoopRunner, type LoopRunnerOptions } from './loop-runner.ts'

export interface RunAllOptions extends LoopRunnerOptions {
  logger?: Logger
  meter?: Meter
  /** Gets a check `loops`, which fails from the failure of a loop on, until it is well again. */
  health?: Health
}

/** A loop could not go on; the cause says why. */
export class LoopError extends Error {
  override readonly name = 'LoopError'
  readonly loop: string

  constructor(loop: string, cause: unknown) {
    super(`loop "${loop}" failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.loop = loop
  }
}

/**
 * Runs loops side by side until the signal is aborted and all of them are done. A loop may also end by itself: a
 * listing that is complete leaves the others running. One that fails, or is stuck, is run again.
 * @throws {LoopError} of the first loop that could not be kept running, after the others were aborted and have ended
 * (hazard G11).
 */
export async function runAll(
  loops: readonly Loop[],
  signal: AbortSignal,
  { logger = silentLogger, meter = noMeter, health, ...options }: RunAllOptions = {},
): Promise<void> {
  const stop = new AbortController()
  const combined = AbortSignal.any([signal, stop.signal])
  const running = meter.gauge('millrace_loop_running', '1 while the loop runs, 0 once it has ended', ['loop'])
  const failures: LoopError[] = []
  const runners = loops.map((loop) => ({ loop, runner: new LoopRunner(loop, logger, options) }))

  health?.add('loops', () => {
    for (const { loop, runner } of runners) if (runner.failure) throw new LoopError(loop.name, runner.failure)
  })
  health?.running(() => runners.find(({ runner }) => runner.isStuck)?.loop.name)
  const run = async ({ loop, runner }: (typeof runners)[number]): Promise<void> => {
    running.set(1, { loop: loop.name })
    try {
      await runner.run(combined)
      logger.info({ loop: loop.name }, combined.aborted ? 'loop stopped' : 'loop is done')
    } catch (error) {
      failures.push(new LoopError(loop.name, error))
      stop.abort()
    } finally {
      running.set(0, { loop: loop.name })
    }
  }
  await Promise.all(runners.map(run))
  if (failures[0]) throw failures[0]
}
