import { Backoff, CursorConflictError, sleep, type BackoffOptions, type Logger } from '@millrace/stream-protocol'

export interface RetryOptions {
  signal: AbortSignal
  logger: Logger
  /** What is tried, for the log: `append to firehose_live`. */
  what: string
  backoff?: BackoffOptions
}

/**
 * Repeats a call to a store until it succeeds: a store that is away is waited for, however long that takes (hazard
 * G10). Ends by rejecting with a conflict of cursors, or with the signal's reason.
 */
export async function retrying<T>(call: () => Promise<T>, { signal, logger, what, backoff }: RetryOptions): Promise<T> {
  const delays = new Backoff(backoff)
  for (;;) {
    signal.throwIfAborted()
    try {
      return await call()
    } catch (error) {
      if (signal.aborted || error instanceof CursorConflictError) throw error
      const delayMs = delays.nextMs()
      logger.warn({ err: error, attempt: delays.attempt, delayMs: Math.round(delayMs) }, `cannot ${what}: waiting`)
      await sleep(delayMs, signal)
    }
  }
}
