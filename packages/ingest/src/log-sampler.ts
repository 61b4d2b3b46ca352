import type { Logger } from '@millrace/stream-protocol'

/** Logs one line per kind and interval, with the number of those that were left out since (hazard O4). */
export class LogSampler {
  readonly #logger: Logger
  readonly #intervalMs: number
  readonly #kinds = new Map<string, { at: number; omitted: number }>()

  constructor(logger: Logger, intervalMs = 10_000) {
    this.#logger = logger
    this.#intervalMs = intervalMs
  }

  warn(kind: string, fields: object, message: string): void {
    const now = performance.now()
    const last = this.#kinds.get(kind)
    if (last && now - last.at < this.#intervalMs) {
      last.omitted++
      return
    }
    this.#kinds.set(kind, { at: now, omitted: 0 })
    this.#logger.warn({ ...fields, reason: kind, ...(last?.omitted && { omitted: last.omitted }) }, message)
  }
}
