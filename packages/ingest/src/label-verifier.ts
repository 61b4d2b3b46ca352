import { isGuarded } from '@millrace/failpoints'
import {
  TemporaryIdentityError,
  verifySignature,
  type DidResolution,
  type DidResolver,
  type Identity,
} from '@millrace/identity'
import { sleep, type BackoffOptions, type LabelEvent, type Logger } from '@millrace/stream-protocol'
import { hostWithScheme } from './host-url.ts'
import type { LabelProof } from './label-proof.ts'
import { retrying } from './retry.ts'

export interface VerifyLabelsOptions {
  resolver: Pick<DidResolver, 'resolve'>
  /** Takes labels that come without a signature; one that is there has to hold all the same. @default false */
  unsigned?: boolean
  /** On one machine, where networks are simulated, a port tells nothing about who a labeler is. @default false */
  allowPrivateHosts?: boolean
  /** Time after which the document of one labeler may be asked for again, in milliseconds. @default 10_000 */
  refreshMs?: number
  /** Time between any two documents, in milliseconds. @default 1_000 */
  lookupMs?: number
}

/** A label to be looked at. */
export interface LabelToVerify {
  event: LabelEvent
  proof: LabelProof
}

/** Why a label is not used. */
export interface LabelFault {
  reason: 'spoofed-label' | 'unsigned-label' | 'bad-signature'
  error: string
}

interface Labeler {
  identity: Identity | undefined
  /** When its document was read past every cache. */
  freshAt: number
}

/** Signatures that are looked at together: enough for a few threads. */
const TOGETHER = 8

/**
 * Says which labels of a host are those of its labeler: the account whose DID document names this host as its labeler,
 * and whose `#atproto_label` key has signed them (hazards L6, L7).
 *
 * A label that does not hold is judged by a document that was asked for afterwards. Documents are asked for one at a
 * time and not too often, so that forged labels are no flood for others; until then, and while a document cannot be had,
 * the labeler waits. None of its labels is given up for that (hazard L12).
 */
export class LabelVerifier {
  readonly #host: string
  readonly #options: Required<VerifyLabelsOptions>
  readonly #logger: Logger
  readonly #backoff: BackoffOptions
  readonly #labelers = new Map<string, Labeler>()
  #lastLookupAt = Number.NEGATIVE_INFINITY

  constructor(
    host: string,
    {
      unsigned = false,
      allowPrivateHosts = false,
      refreshMs = 10_000,
      lookupMs = 1_000,
      resolver,
    }: VerifyLabelsOptions,
    { logger, backoff }: { logger: Logger; backoff: BackoffOptions },
  ) {
    this.#host = host
    this.#options = { unsigned, allowPrivateHosts, refreshMs, lookupMs, resolver }
    this.#logger = logger
    this.#backoff = backoff
  }

  /** The faults of these labels, by event. Rejects with the signal's reason when that comes first. */
  async findFaults(labels: readonly LabelToVerify[], signal: AbortSignal): Promise<Map<LabelEvent, LabelFault>> {
    const faults = new Map<LabelEvent, LabelFault>()
    const bySource = [...Map.groupBy(labels, ({ event }) => event.label.src)]
    // Strangers come last: it is easier to tell them once the labeler is known.
    for (const [src, ofOne] of bySource.toSorted(([, a], [, b]) => b.length - a.length)) {
      const startedAt = performance.now()
      let labeler = this.#labelers.get(src) ?? (await this.#lookUp(src, { fresh: false }, signal))
      let bad = await this.#badOnes(ofOne, labeler.identity)
      // A document that was asked for within this very call is as new as can be.
      if (bad.length > 0 && labeler.freshAt < startedAt) {
        labeler = await this.#lookUp(src, { fresh: true }, signal)
        bad = await this.#badOnes(
          bad.map(({ label }) => label),
          labeler.identity,
        )
      }
      for (const { label, fault } of bad) faults.set(label.event, fault)
    }
    return faults
  }

  async #badOnes(
    labels: readonly LabelToVerify[],
    identity: Identity | undefined,
  ): Promise<{ label: LabelToVerify; fault: LabelFault }[]> {
    const bad: { label: LabelToVerify; fault: LabelFault }[] = []
    for (let at = 0; at < labels.length; at += TOGETHER) {
      const some = labels.slice(at, at + TOGETHER)
      const faults = await Promise.all(some.map((label) => this.#faultOf(label, identity)))
      for (const [index, fault] of faults.entries()) if (fault) bad.push({ label: some[index]!, fault })
    }
    return bad
  }

  async #faultOf({ event, proof }: LabelToVerify, identity: Identity | undefined): Promise<LabelFault | undefined> {
    const { src } = event.label
    if (!identity || !this.#isHere(identity.labelerUrl))
      return { reason: 'spoofed-label', error: `${src} is labeler at ${identity?.labelerUrl ?? 'no host'}, not here` }
    const { bytes, sig } = proof
    if (sig === undefined) {
      if (this.#options.unsigned) return undefined
      return { reason: 'unsigned-label', error: `a label of ${src} is not signed` }
    }
    const { labelerKey } = identity
    const holds =
      labelerKey !== undefined && sig instanceof Uint8Array && (await verifySignature(labelerKey, bytes, sig))
    if (holds || !isGuarded('label-signature')) return undefined
    return { reason: 'bad-signature', error: `a label is not signed by ${labelerKey ?? `a label key of ${src}`}` }
  }

  #isHere(labelerUrl: string | undefined): boolean {
    if (labelerUrl === undefined) return false
    const [named, here] = [new URL(labelerUrl), new URL(hostWithScheme(this.#host))]
    return named.origin === here.origin || (this.#options.allowPrivateHosts && isLoopback(named) && isLoopback(here))
  }

  async #lookUp(src: string, options: { fresh: boolean }, signal: AbortSignal): Promise<Labeler> {
    const { refreshMs, lookupMs } = this.#options
    const lastAt = this.#labelers.get(src)?.freshAt ?? Number.NEGATIVE_INFINITY
    const due = Math.max(lastAt + refreshMs, this.#lastLookupAt + lookupMs)
    await sleep(Math.max(0, due - performance.now()), signal)
    const startedAt = performance.now()
    const resolution = await retrying(() => this.#ask(src, options), {
      what: 'look up a labeler',
      signal,
      logger: this.#logger,
      backoff: this.#backoff,
    })
    this.#lastLookupAt = performance.now()
    const identity = resolution.kind === 'found' ? resolution.identity : undefined
    const labeler = { identity, freshAt: options.fresh ? startedAt : Number.NEGATIVE_INFINITY }
    // A host has one labeler. Whatever else it names is not kept for long.
    if (!this.#labelers.has(src) && this.#labelers.size > 100) this.#forgetStrangers()
    this.#labelers.set(src, labeler)
    return labeler
  }

  async #ask(src: string, options: { fresh: boolean }): Promise<DidResolution> {
    try {
      return await this.#options.resolver.resolve(src, options)
    } catch (error) {
      // Once we know whose host this is, a stranger that nobody can find does not hold up its labels.
      const isStranger = !this.#isHere(this.#labelers.get(src)?.identity?.labelerUrl)
      if (error instanceof TemporaryIdentityError && isStranger && this.#knowsItsLabeler())
        return { kind: 'absent', tombstoned: false }
      throw error
    }
  }

  #knowsItsLabeler(): boolean {
    return this.#labelers.values().some(({ identity }) => this.#isHere(identity?.labelerUrl))
  }

  #forgetStrangers(): void {
    for (const [src, { identity }] of this.#labelers)
      if (!this.#isHere(identity?.labelerUrl)) this.#labelers.delete(src)
  }
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname.startsWith('127.') || hostname === '[::1]'
}
