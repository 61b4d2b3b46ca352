import {
  noMeter,
  silentLogger,
  type CursorStore,
  type EventSink,
  type Ledger,
  type Logger,
  type Loop,
  type Meter,
  type StreamEvent,
} from '@millrace/stream-protocol'
import { frameToEvents, type Verify } from './convert.ts'
import { hostLabel } from './host-url.ts'
import {
  Subscription,
  subscriptionDefaults,
  type SubscriptionSettings,
  type SubscriptionStatus,
} from './subscription.ts'

export interface FirehoseIngesterOptions extends Partial<SubscriptionSettings> {
  /** A relay or PDS, e.g. `bsky.network`. Reached over TLS unless it begins with `http://`. */
  host: string
  sink: EventSink<StreamEvent>
  cursors: CursorStore
  /** Where accounts and hosts are marked that have to be looked at again. Without it, marks are counted and logged. */
  ledger?: Ledger | undefined
  /**
   * What is checked before an event is made. `integrity`: all that a frame proves by itself, its signature apart.
   * `off`: limits and syntax.
   * @default 'integrity'
   */
  verify?: Verify
  /**
   * Where to begin when no cursor is stored: a sequence number, `0` for the oldest the host has, null for the live end
   * (hazard I3). A service that ran before reads its own checkpoint here, each time that it connects (hazard I4).
   * @default null
   */
  startCursor?: string | null | (() => Promise<string | null>)
  logger?: Logger
  meter?: Meter
}

/**
 * Reads `com.atproto.sync.subscribeRepos` of one host, and appends its events to a stream in the host's order.
 *
 * Every frame up to the stored cursor is in the stream, or was counted with its reason and marked in the ledger. A
 * frame may arrive again after a crash, but the sink takes a batch and its cursor in one step, so it is not there twice.
 * Losing the connection, the store, or the place in it, is waited out inside; `run` rejects only on a bug.
 *
 * It does not compare commits with each other, nor verify signatures.
 */
export class FirehoseIngester implements Loop {
  readonly name: string
  readonly #subscription: Subscription<StreamEvent>

  constructor(options: FirehoseIngesterOptions) {
    const {
      verify = 'integrity',
      startCursor = null,
      ledger,
      logger = silentLogger,
      meter = noMeter,
      ...rest
    } = options
    if (verify !== 'integrity' && verify !== 'off')
      throw new TypeError(`cannot verify ${JSON.stringify(verify)}: only 'integrity' and 'off' are known`)
    const host = hostLabel(options.host)
    this.name = `firehose ${host}`
    this.#subscription = new Subscription({
      ...subscriptionDefaults,
      ...rest,
      kind: 'firehose',
      nsid: 'com.atproto.sync.subscribeRepos',
      startCursor: typeof startCursor === 'function' ? startCursor : async () => startCursor,
      ledger,
      logger,
      meter,
      convert: (frame, epoch) => frameToEvents(frame, { host, epoch, verify, now: Date.now() }),
    })
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#subscription.run(signal)
  }

  /** Connects anew, from the cursor that is stored by then: for one that was moved while the host is silent. */
  restart(): void {
    this.#subscription.restart()
  }

  status(): SubscriptionStatus {
    return this.#subscription.status()
  }
}
