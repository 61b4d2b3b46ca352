import {
  noMeter,
  silentLogger,
  type CursorStore,
  type EventSink,
  type LabelEvent,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
} from '@millrace/stream-protocol'
import { frameToLabels } from './convert-labels.ts'
import { hostLabel } from './host-url.ts'
import {
  Subscription,
  subscriptionDefaults,
  type SubscriptionSettings,
  type SubscriptionStatus,
} from './subscription.ts'

export interface LabelerIngesterOptions extends Partial<SubscriptionSettings> {
  /** The service of a labeler, e.g. `mod.bsky.app`. Reached over TLS unless it begins with `http://`. */
  host: string
  /** DID of the labeler, where it is known: labels in the name of others are dropped and counted (hazard L7). */
  expectedSrc?: string | undefined
  sink: EventSink<LabelEvent>
  cursors: CursorStore
  /** Where labels go that cannot be read. Without it, they are counted and logged. */
  ledger?: Ledger | undefined
  /**
   * Off, since a labeler may have nothing to say for days. A dead connection is found by `pingMs`.
   * @default 0
   */
  idleMs?: number
  logger?: Logger
  meter?: Meter
}

/**
 * Reads `com.atproto.label.subscribeLabels` of one labeler, from its first label on, and appends its labels to a stream.
 *
 * Guarantees are those of `FirehoseIngester`. Labels are never dropped for pressure: the socket waits (hazard L12).
 * Signatures are neither verified nor kept.
 */
export class LabelerIngester implements Loop {
  readonly name: string
  readonly #subscription: Subscription<LabelEvent>

  constructor(options: LabelerIngesterOptions) {
    const { expectedSrc, idleMs = 0, ledger, logger = silentLogger, meter = noMeter, ...rest } = options
    const host = hostLabel(options.host)
    this.name = `labeler ${host}`
    this.#subscription = new Subscription({
      ...subscriptionDefaults,
      ...rest,
      idleMs,
      kind: 'labeler',
      nsid: 'com.atproto.label.subscribeLabels',
      // Labels have no other history than this, so a labeler never read is read from its first one (L9).
      startCursor: '0',
      ledger,
      logger,
      meter,
      convert: (frame, epoch) => frameToLabels(frame, { host, epoch, expectedSrc }),
    })
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#subscription.run(signal)
  }

  status(): SubscriptionStatus {
    return this.#subscription.status()
  }
}
