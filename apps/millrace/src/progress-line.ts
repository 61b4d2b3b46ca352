import type { ProgressOutput } from './up/progress.ts'

export interface ProgressLineOptions {
  output: ProgressOutput
  /** Least pause between two lines where there is no terminal, in milliseconds. @default 10_000 */
  lineMs?: number
  /** Milliseconds, from any moment on. @default performance.now */
  now?: () => number
}

/** A terminal redraws faster than one reads. */
const TERMINAL_MS = 100

/** How far it is: one line that is redrawn on a terminal, a line now and then elsewhere. */
export class ProgressLine implements Disposable {
  readonly #output: ProgressOutput
  readonly #everyMs: number
  readonly #now: () => number
  #shownAt: number

  constructor({ output, lineMs = 10_000, now = () => performance.now() }: ProgressLineOptions) {
    this.#output = output
    this.#everyMs = output.isTTY ? TERMINAL_MS : lineMs
    this.#now = now
    // What is done within a moment needs no line.
    this.#shownAt = now()
  }

  show(text: string): void {
    if (this.#now() - this.#shownAt < this.#everyMs) return
    this.#shownAt = this.#now()
    if (this.#output.isTTY) this.#output.write(`\r\u001b[2K${text.slice(0, (this.#output.columns ?? 80) - 1)}`)
    else this.#output.write(`millrace: ${text}\n`)
  }

  /** Takes the line off the terminal. */
  [Symbol.dispose](): void {
    if (this.#output.isTTY) this.#output.write('\r\u001b[2K')
  }
}
