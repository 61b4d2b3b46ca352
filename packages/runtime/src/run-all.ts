import { noMeter, silentLogger, type Logger, type Loop, type Meter } from '@millrace/stream-protocol'
import type { Health } from './health.ts'

export interface RunAllOptions {
  logger?: Logger
  meter?: Meter
  /** Gets a check `loops`, which fails once a loop has failed. */
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
 * listing that is complete leaves the others running.
 * @throws {LoopError} of the first loop that failed, after the others were aborted and have ended (hazard G11).
 */
export async function runAll(
  loops: readonly Loop[],
  signal: AbortSignal,
  { logger = silentLogger, meter = noMeter, health }: RunAllOptions = {},
): Promise<void> {
  const stop = new AbortController()
  const combined = AbortSignal.any([signal, stop.signal])
  const running = meter.gauge('millrace_loop_running', '1 while the loop runs, 0 once it has ended', ['loop'])
  const failures: LoopError[] = []

  health?.add('loops', () => {
    if (failures[0]) throw failures[0]
  })
  const run = async (loop: Loop): Promise<void> => {
    running.set(1, { loop: loop.name })
    try {
      await loop.run(combined)
      logger.info({ loop: loop.name }, combined.aborted ? 'loop stopped' : 'loop is done')
    } catch (error) {
      // Being stopped is no failure, however a loop tells it.
      if (combined.aborted && isAbort(error, combined)) return logger.info({ loop: loop.name }, 'loop stopped')
      logger.error({ loop: loop.name, err: error }, 'loop failed')
      failures.push(new LoopError(loop.name, error))
      stop.abort()
    } finally {
      running.set(0, { loop: loop.name })
    }
  }
  await Promise.all(loops.map(run))
  if (failures[0]) throw failures[0]
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError')
}
