import { encode } from '@atproto/lex-cbor'
import type { LexMap } from '@atproto/lex-data'
import type { Account } from './account.ts'
import type { VirtualClock } from './clock.ts'
import type { EventStream } from './event-stream.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** A label to send. What it is and who says so is not checked. */
export interface LabelInput {
  /** An `at://` URI of a record, or a DID. */
  uri: string
  val: string
  cid?: string
  /** Takes the label back. Given as false it is present and signed, as some labelers do. */
  neg?: boolean
  exp?: string
  /** @default now */
  cts?: string
  /** @default the labeler. Another one is a spoofed label. */
  src?: string
  /** @default 'good' */
  signature?: 'good' | 'bad' | 'none'
}

/** A label as it was sent, without its signature. */
export interface SentLabel {
  seq: number
  src: string
  uri: string
  cid?: string
  val: string
  neg?: boolean
  cts: string
  exp?: string
}

const values = ['spam', 'porn', 'sexual', 'nudity', 'rude', 'misleading', '!warn', '!hide', '!takedown'] as const

/** Signs labels and sends them (https://atproto.com/specs/label). */
export class LabelLog {
  readonly sent: SentLabel[] = []
  readonly #labeler: Account
  readonly #stream: EventStream
  readonly #clock: VirtualClock

  constructor(labeler: Account, stream: EventStream, clock: VirtualClock) {
    this.#labeler = labeler
    this.#stream = stream
    this.#clock = clock
  }

  async send({ signature = 'good', ...given }: LabelInput): Promise<SentLabel> {
    const label = { ver: 1, src: this.#labeler.did, cts: this.#clock.iso(), ...given }
    const { labelKeypair, otherKeypair } = this.#labeler
    const keypair = signature === 'good' ? labelKeypair : otherKeypair
    // The signature is over exactly the fields that there are, in their canonical order.
    const sig = signature === 'none' ? undefined : await keypair?.sign(encode(label))
    const signed: LexMap = sig ? { ...label, sig } : label
    const seq = this.#stream.appendMessage('#labels', { labels: [signed] })
    const { ver: _, ...sent } = label
    this.sent.push({ seq, ...sent })
    return { seq, ...sent }
  }

  /** Labels something, or takes a label back. */
  async sendNext(world: World, random: Random): Promise<void> {
    this.#clock.advance(1)
    const before = random.pick(this.sent.filter(({ neg }) => !neg))
    if (before && random.chance(0.2)) {
      const { uri, val, cid } = before
      await this.send({ uri, val, neg: true, ...(cid !== undefined && random.chance(0.5) && { cid }) })
      return
    }
    const post = random.pick(world.of('app.bsky.feed.post'))
    const account = random.pick(world.accounts)
    if (!post || !account) return
    const subject = random.chance(0.3)
      ? { uri: account.did }
      : { uri: post.uri, ...(random.chance(0.7) && { cid: post.cid }) }
    const exp = new Date(Date.parse(this.#clock.iso()) + random.below(60) * 86_400_000).toISOString()
    await this.send({
      ...subject,
      val: random.pick(values),
      ...(random.chance(0.3) && { neg: false }),
      ...(random.chance(0.15) && { exp }),
    })
  }
}
