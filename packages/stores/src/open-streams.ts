import { openRedisStreams } from '@millrace/redis-streams'
import type { StreamsChoice } from '@millrace/runtime'
import { openSqliteStreams } from '@millrace/sqlite-streams'
import { noMeter, silentLogger, type Logger, type Meter, type StreamStore } from '@millrace/stream-protocol'

export interface OpenStreamsOptions {
  logger?: Logger
  meter?: Meter
  /** Ends the wait for a Redis that does not answer yet. */
  signal?: AbortSignal
  /** How long to wait for that, in milliseconds. @default 30_000 */
  waitMs?: number
  /** Opens also a Redis that is away for all of `waitMs`: what it is asked fails until it is there. @default false */
  mayBeAway?: boolean
}

/**
 * Opens the store that `chooseStreams` chose, and says which one it is and why. A store that cannot be opened is an
 * error; the other one is never taken in its place.
 */
export async function openStreams(
  choice: StreamsChoice,
  { logger = silentLogger, meter = noMeter, signal, waitMs = 30_000, mayBeAway = false }: OpenStreamsOptions = {},
): Promise<StreamStore> {
  logger.info({ store: choice.kind, location: choice.location }, `streams are in ${choice.kind}: ${choice.why}`)
  const marks = choice.highWaterBytes !== undefined && { highWaterBytes: choice.highWaterBytes }
  if (choice.kind === 'redis') {
    const { url, allowEviction = false } = choice
    return openRedisStreams({
      url,
      allowEviction,
      ...marks,
      logger,
      meter,
      waitMs,
      mayBeAway,
      ...(signal && { signal }),
    })
  }
  return openSqliteStreams({ file: choice.file, ...marks, logger, meter })
}
