import { sleep, type Logger, type Loop } from '@millrace/stream-protocol'
import { renderLine, renderScreen, type Heading } from './render.ts'
import type { Snapshot } from './snapshot.ts'

/** A terminal, or a pipe. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressOptions {
  heading: Heading
  output: ProgressOutput
  snapshot: () => Promise<Snapshot>
  onSnapshot: (snapshot: Snapshot) => void
  logger: Logger
  /** Pause between two looks, in milliseconds. @default 500 */
  everyMs?: number
  /** Pause between two lines where there is no terminal, in milliseconds. @default 10_000 */
  lineMs?: number
}

/** Rates are taken over this time, so that they can be read. */
const RATE_MS = 3_000

/** Looks at the pipeline twice a second, and shows it: redrawn in place on a terminal, a line now and then elsewhere. */
export class Progress implements Loop {
  readonly name = 'progress'
  readonly #options: Required<ProgressOptions>
  readonly #recent: Snapshot[] = []
  #drawn = 0
  #lineAt = 0
  #lineBefore: Snapshot | undefined

  constructor({ everyMs = 500, lineMs = 10_000, ...rest }: ProgressOptions) {
    this.#options = { ...rest, everyMs, lineMs }
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look()
      await sleep(this.#options.everyMs, signal)
    }
  }

  async #look(): Promise<void> {
    const { snapshot, onSnapshot, logger } = this.#options
    let now: Snapshot
    try {
      now = await snapshot()
    } catch (error) {
      // A store that is away is what the loops wait for; the next look may find it again.
      logger.warn({ err: error }, 'cannot look at the pipeline')
      return
    }
    this.#recent.push(now)
    while (this.#recent.length > 2 && now.at - this.#recent[1]!.at >= RATE_MS) this.#recent.shift()
    this.#show(now)
    onSnapshot(now)
  }

  #show(now: Snapshot): void {
    const { heading, output, lineMs } = this.#options
    if (output.isTTY) {
      const lines = renderScreen(heading, now, this.#recent[0]!, output.columns ?? 100)
      output.write(
        `${this.#drawn > 0 ? `\u001b[${this.#drawn}A` : ''}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`,
      )
      this.#drawn = lines.length
    } else if (now.at - this.#lineAt >= lineMs) {
      output.write(`${renderLine(heading, now, this.#lineBefore ?? now)}\n`)
      this.#lineAt = now.at
      this.#lineBefore = now
    }
  }
}
