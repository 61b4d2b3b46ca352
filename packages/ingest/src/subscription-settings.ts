import { hastened } from '@millrace/failpoints'
import type { BackoffOptions } from '@millrace/stream-protocol'

/** What subscriptions to a firehose and to a labeler have in common. Durations are in milliseconds. */
export interface SubscriptionSettings {
  /** Time without data after which the connection is replaced; 0 for never. Pings are no data (hazard I10). */
  idleMs: number
  /** How often the host is asked for a sign of life, which finds a dead connection even where `idleMs` is 0. */
  pingMs: number
  /** Events at which a batch is closed. One frame may go beyond it by its operations. */
  maxBatch: number
  /** Bytes of frames at which a batch is closed. */
  maxBatchBytes: number
  /** Bytes of frames not yet appended above which the socket is not read (hazard I14). */
  maxBufferedBytes: number
  /** Delays between connections. */
  backoff: BackoffOptions
  /** How long data must flow before delays start over (hazard I9). */
  healthyMs: number
  /** Delay between connections while halted (hazard I7). */
  haltedRetryMs: number
}

export const subscriptionDefaults: SubscriptionSettings = {
  idleMs: 30_000,
  pingMs: 30_000,
  maxBatch: 1_000,
  maxBatchBytes: 4_000_000,
  maxBufferedBytes: 16_000_000,
  backoff: { minMs: 500, maxMs: hastened(60_000) },
  healthyMs: hastened(30_000),
  haltedRetryMs: 60_000,
}
