import { Backoff, sleep, type Logger } from '@millrace/stream-protocol'
import { isTransient } from './errors.ts'

export interface PersistOptions {
  /** For the log, e.g. `append to firehose_live`. */
  what: string
  logger: Logger
  signal?: AbortSignal | undefined
  onRetry?: () => void
}

/**
 * Tries until Redis has said yes or no. What is tried may have happened although its reply was lost, so it must be
 * harmless to repeat. Once the signal is aborted it is not tried again: that rejects with the signal's reason.
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  { what, logger, signal, onRetry }: PersistOptions,
): Promise<T> {
  const backoff = new Backoff({ minMs: 100, maxMs: 10_000 })
  while (true) {
    try {
      return await attempt()
    } catch (error) {
      if (!isTransient(error)) throw error
      signal?.throwIfAborted()
      logger.warn({ err: error, attempt: backoff.attempt + 1 }, `cannot ${what} now: trying again`)
      onRetry?.()
      await sleep(backoff.nextMs(), signal)
      signal?.throwIfAborted()
    }
  }
}
