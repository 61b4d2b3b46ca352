import {
  noMeter,
  silentLogger,
  sleep,
  type CollectionFilter,
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
import { SignatureGate, type SignatureGateOptions } from './signature-gate.ts'
import { Subscription, type SubscriptionStatus } from './subscription.ts'
import { subscriptionDefaults, type SubscriptionSettings } from './subscription-settings.ts'

export interface FirehoseIngesterOptions extends Partial<SubscriptionSettings> {
  /** A relay or PDS, e.g. `bsky.network`. Reached over TLS unless it begins with `http://`. */
  host: string
  sink: EventSink<StreamEvent>
  cursors: CursorStore
  /** Where accounts and hosts are marked that have to be looked at again. Without it, marks are counted and logged. */
  ledger?: Ledger | undefined
  /**
   * What is checked before an event is made. `integrity`: all that a frame proves by itself, its signature apart.
   * `signatures`: the same, and that the account has signed it; needs `signatures`. `off`: limits and syntax.
   * @default 'integrity'
   */
  verify?: Verify
  /** What signatures are verified with. */
  signatures?: SignatureGateOptions | undefined
  /** Of other collections no event is made; the commits of their records are followed all the same. @default all */
  collections?: CollectionFilter | undefined
  /** Accounts of which events are made; those of others are counted as ignored. @default all */
  dids?: ReadonlySet<string> | undefined
  /**
   * Accounts are taken by their records of `collections`. Events that are about no such record are marked with `ifKnown`:
   * they count for accounts that are known already. @default false
   */
  byCollection?: boolean | undefined
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
 * It does not compare commits with each other. With `verify: 'signatures'` accounts may overtake each other while one
 * waits for its key; the cursor stays before the first that waits, so that after a crash some events may be there twice.
 */
export class FirehoseIngester implements Loop {
  readonly name: string
  readonly #subscription: Subscription<StreamEvent>

  constructor(options: FirehoseIngesterOptions) {
    const {
      verify = 'integrity',
      signatures,
      collections,
      dids,
      byCollection,
      startCursor = null,
      ledger,
      logger = silentLogger,
      meter = noMeter,
      ...rest
    } = options
    if (verify !== 'integrity' && verify !== 'signatures' && verify !== 'off')
      throw new TypeError(`cannot verify ${JSON.stringify(verify)}: integrity, signatures and off are known`)
    if (verify === 'signatures' && !signatures) throw new TypeError('signatures cannot be verified without a resolver')
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
      ...(verify === 'signatures' && signatures && { openGate: () => new SignatureGate(host, signatures) }),
      convert: (frame, epoch) =>
        frameToEvents(frame, { host, epoch, verify, collections, dids, byCollection, now: Date.now() }),
    })
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#subscription.run(signal)
  }

  /**
   * Resolves once the host's events come: they are read now, or were before, so that reading goes on where it was. What
   * is listed from then on is in them as well: it is what a `BackfillIngester` waits for (`ready`).
   */
  async connected(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { state, cursor } = this.status()
      if (state === 'streaming' || cursor !== null) return
      await sleep(50, signal)
    }
  }

  /** Connects anew, from the cursor that is stored by then: for one that was moved while the host is silent. */
  restart(): void {
    this.#subscription.restart()
  }

  /** @returns how the reading stands; asks nobody. */
  status(): SubscriptionStatus {
    return this.#subscription.status()
  }
}
