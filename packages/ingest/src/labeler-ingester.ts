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
import type { Batch } from './batch.ts'
import { frameToLabels } from './convert-labels.ts'
import type { Rejected } from './conversion.ts'
import { FairSink, type BulkOptions } from './fair-sink.ts'
import { hostLabel } from './host-url.ts'
import type { LabelProof } from './label-proof.ts'
import { LabelVerifier, type VerifyLabelsOptions } from './label-verifier.ts'
import { Subscription, type SubscriptionStatus } from './subscription.ts'
import { subscriptionDefaults, type SubscriptionSettings } from './subscription-settings.ts'

export interface LabelerIngesterOptions extends Partial<SubscriptionSettings> {
  /** The service of a labeler, e.g. `mod.bsky.app`. Reached over TLS unless it begins with `http://`. */
  host: string
  /** DID of the labeler, where it is known: labels in the name of others are dropped and counted (hazard L7). */
  expectedSrc?: string | undefined
  /**
   * Looks up who the labeler is, and takes only what it has signed (hazards L6, L7). Without it, neither is known.
   */
  verify?: VerifyLabelsOptions | undefined
  sink: EventSink<LabelEvent>
  /** Where labels go when there are many of them at once: see {@link FairSink}. @default sink */
  bulk?: BulkOptions<LabelEvent>
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
 * Signatures are not kept.
 */
export class LabelerIngester implements Loop {
  readonly name: string
  readonly #subscription: Subscription<LabelEvent>
  readonly #verifier: LabelVerifier | undefined
  /** Of labels that were read and not yet looked at. */
  readonly #proofs = new WeakMap<LabelEvent, LabelProof>()

  constructor(options: LabelerIngesterOptions) {
    const { expectedSrc, verify, bulk, idleMs = 0, ledger, logger = silentLogger, meter = noMeter, ...rest } = options
    const host = hostLabel(options.host)
    this.name = `labeler ${host}`
    const backoff = rest.backoff ?? subscriptionDefaults.backoff
    this.#verifier =
      verify &&
      new LabelVerifier(options.host, verify, {
        logger: logger.child({ component: 'labeler-ingester', host }),
        backoff,
      })
    this.#subscription = new Subscription({
      ...subscriptionDefaults,
      ...rest,
      sink: bulk ? new FairSink(options.sink, bulk) : options.sink,
      idleMs,
      kind: 'labeler',
      nsid: 'com.atproto.label.subscribeLabels',
      // Labels have no other history than this, so a labeler never read is read from its first one (L9).
      startCursor: async () => '0',
      ledger,
      logger,
      meter,
      convert: (frame, epoch) => {
        const conversion = frameToLabels(frame, { host, epoch, expectedSrc })
        for (const [event, proof] of conversion.proofs) this.#proofs.set(event, proof)
        return conversion
      },
      review: (batch, signal) => this.#review(batch, signal),
    })
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#subscription.run(signal)
  }

  /** Connects anew, from the cursor that is stored by then: for one that was moved while the host is silent. */
  restart(): void {
    this.#subscription.restart()
  }

  /** @returns how the reading stands; asks nobody. */
  status(): SubscriptionStatus {
    return this.#subscription.status()
  }

  async #review(batch: Batch<LabelEvent>, signal: AbortSignal): Promise<void> {
    if (!this.#verifier) return
    const labels = batch.events.map((event) => ({ event, proof: this.#proofs.get(event)! }))
    const faults = await this.#verifier.findFaults(labels, signal)
    const rejected = new Map<LabelEvent, Rejected & { seq: number }>()
    for (const [event, fault] of faults) {
      const { seq = 0, label } = event
      rejected.set(event, { ...fault, seq, uri: label.uri, payload: JSON.stringify(event) })
    }
    batch.withdraw(rejected)
  }
}
