import { sleep, type Loop } from '@millrace/stream-protocol'
import { isAbort } from './is-abort.ts'

export interface PausableLoopOptions {
  loop: Loop
  /** Asked several times a second: it has to know without asking anybody. */
  isPaused: () => boolean
  /** @default 250 */
  checkMs?: number
}

/**
 * A loop that operators can pause: it is ended, as at the end of the process, and begun anew once it is to go on. What it
 * had in hand it finishes or leaves where the next run finds it.
 */
export class PausableLoop implements Loop {
  readonly name: string
  readonly #loop: Loop
  readonly #isPaused: () => boolean
  readonly #checkMs: number

  constructor({ loop, isPaused, checkMs = 250 }: PausableLoopOptions) {
    this.name = loop.name
    this.#loop = loop
    this.#isPaused = isPaused
    this.#checkMs = checkMs
  }

  lastStepAt(): number | null {
    return this.#loop.lastStepAt?.() ?? null
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#isPaused()) await sleep(this.#checkMs, signal)
      else if (await this.#runUntilPaused(signal)) return
    }
  }

  /** @returns true when the loop is done, or was stopped from outside. */
  async #runUntilPaused(signal: AbortSignal): Promise<boolean> {
    const paused = new AbortController()
    const watch = setInterval(() => this.#isPaused() && paused.abort(), this.#checkMs)
    try {
      await this.#loop.run(AbortSignal.any([signal, paused.signal]))
      return !paused.signal.aborted
    } catch (error) {
      // Being told to end is no failure, however a loop says so.
      if (paused.signal.aborted && isAbort(error, paused.signal)) return false
      throw error
    } finally {
      clearInterval(watch)
    }
  }
}
