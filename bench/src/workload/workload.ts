import { createHash } from 'node:crypto'
import { encode } from '@atproto/lex-cbor'
import type { LexValue } from '@atproto/lex-data'
import type { CreateEvent, DeleteEvent, RecordEvent, RecordJson } from '@millrace/stream-protocol'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'

export interface WorkloadOptions {
  /** @default 20_000 */
  events?: number
  /** Accounts that act, and are acted on. @default 4_000 */
  actors?: number
  /** The same seed gives the same events, to the byte. @default 7 */
  seed?: number
  /** When the first event was, in milliseconds since 1970. @default 1_760_000_000_000, in October 2025 */
  startsAt?: number
}

interface StrongRef {
  uri: string
  cid: string
}

interface Post extends StrongRef {
  /** Absent for a post that is no reply. */
  root: StrongRef | undefined
}

const DAG_CBOR = 0x71
const SHA2_256 = 0x12
const TID_CHARACTERS = '234567abcdefghijklmnopqrstuvwxyz'
const WORDS =
  'the sky is a stream of small blue things that people say to each other in the morning before coffee'.split(' ')
/** Posts that stand before anyone likes or answers one. */
const FIRST_POSTS = 50

/**
 * Events in the mix of the live network: likes 47 %, posts 19 % (of which 45 % are replies), follows 14 %, reposts 9 %,
 * deletions of likes 6 %, blocks and profiles the rest. Few accounts do most, and recent posts get most of the likes.
 */
export function generateWorkload({
  events = 20_000,
  actors = 4_000,
  seed = 7,
  startsAt = 1_760_000_000_000,
}: WorkloadOptions = {}): RecordEvent[] {
  return new Workload(actors, seed, startsAt).generate(events)
}

// The order in which numbers are drawn is part of the workload: another order gives other events.
class Workload {
  readonly #actors: number
  readonly #random: () => number
  readonly #events: RecordEvent[] = []
  readonly #posts: Post[] = []
  readonly #likes: CreateEvent[] = []
  /** In microseconds. */
  #clock: bigint

  constructor(actors: number, seed: number, startsAt: number) {
    this.#actors = actors
    this.#random = randomFrom(seed)
    this.#clock = BigInt(startsAt) * 1000n
  }

  generate(count: number): RecordEvent[] {
    while (this.#events.length < count) this.#next()
    return this.#events
  }

  #next(): void {
    const did = this.#someone()
    const kind = this.#random()
    if (this.#posts.length < FIRST_POSTS || kind < 0.18) this.#post(did)
    else if (kind < 0.66)
      this.#likes.push(this.#create(did, 'app.bsky.feed.like', this.#reaction('app.bsky.feed.like')))
    else if (kind < 0.75) this.#create(did, 'app.bsky.feed.repost', this.#reaction('app.bsky.feed.repost'))
    else if (kind < 0.89) this.#relate(did, 'app.bsky.graph.follow')
    else if (kind < 0.92) this.#relate(did, 'app.bsky.graph.block')
    else if (kind < 0.94) this.#profile(did)
    else if (this.#likes.length > 10) this.#unlike()
  }

  #post(did: string): void {
    const record: RecordJson = {
      $type: 'app.bsky.feed.post',
      text: this.#text(),
      langs: ['en'],
      createdAt: this.#now(),
    }
    let root: StrongRef | undefined
    const kind = this.#random()
    const canRefer = this.#posts.length > FIRST_POSTS
    if (canRefer && kind < 0.45) {
      const parent = this.#popularPost()
      root = parent.root ?? reference(parent)
      record['reply'] = { root, parent: reference(parent) }
    } else if (canRefer && kind < 0.52) {
      record['embed'] = { $type: 'app.bsky.embed.record', record: reference(this.#popularPost()) }
    } else if (kind < 0.62) {
      const uri = `https://example.com/${this.#tid()}`
      const external = { uri, title: this.#text().slice(0, 60), description: this.#text() }
      record['embed'] = { $type: 'app.bsky.embed.external', external }
    }
    const { cid, rkey } = this.#create(did, 'app.bsky.feed.post', () => record)
    this.#posts.push({ uri: `at://${did}/app.bsky.feed.post/${rkey}`, cid, root })
  }

  #reaction(type: string): () => RecordJson {
    const subject = reference(this.#popularPost())
    return () => ({ $type: type, subject, createdAt: this.#now() })
  }

  #relate(did: string, type: string): void {
    const subject = this.#someone()
    if (subject !== did) this.#create(did, type, () => ({ $type: type, subject, createdAt: this.#now() }))
  }

  #profile(did: string): void {
    const record = (): RecordJson => ({
      $type: 'app.bsky.actor.profile',
      displayName: this.#text().slice(0, 40),
      description: this.#text(),
      createdAt: this.#now(),
    })
    this.#create(did, 'app.bsky.actor.profile', record, 'self')
  }

  #unlike(): void {
    const [like] = this.#likes.splice(Math.floor(this.#random() * this.#likes.length), 1)
    if (!like) return
    const event: DeleteEvent = { type: 'delete', ...this.#commit(like.did, like.collection, like.rkey) }
    this.#events.push(event)
  }

  #create(did: string, collection: string, makeRecord: () => RecordJson, key?: string): CreateEvent {
    const rkey = key ?? this.#tid()
    const record = makeRecord()
    const commit = this.#commit(did, collection, rkey)
    const event: CreateEvent = { type: 'create', ...commit, cid: cidOf(record), record }
    this.#events.push(event)
    return event
  }

  #commit(did: string, collection: string, rkey: string): Omit<DeleteEvent, 'type'> {
    const rev = this.#tid()
    return {
      seq: this.#events.length + 1,
      time: this.#now(),
      did,
      commit: cidOf({ rev, d: did }),
      rev,
      collection,
      rkey,
    }
  }

  #someone(): string {
    return didOf(this.#mostlyLow(this.#actors))
  }

  #popularPost(): Post {
    const post = this.#posts[this.#posts.length - 1 - this.#mostlyLow(this.#posts.length)]
    if (!post) throw new RangeError('there is no post yet')
    return post
  }

  #mostlyLow(limit: number): number {
    return Math.min(limit - 1, Math.floor(limit * this.#random() ** 3))
  }

  #text(): string {
    return Array.from({ length: 5 + Math.floor(this.#random() * 30) }, () => this.#word()).join(' ')
  }

  #word(): string {
    return WORDS[Math.floor(this.#random() * WORDS.length)] ?? ''
  }

  #tid(): string {
    this.#clock += BigInt(1 + Math.floor(this.#random() * 900))
    let rest = this.#clock << 10n
    let tid = ''
    for (let i = 0; i < 13; i++) {
      tid = TID_CHARACTERS.charAt(Number(rest & 31n)) + tid
      rest >>= 5n
    }
    return tid
  }

  #now(): string {
    return new Date(Number(this.#clock / 1000n)).toISOString()
  }
}

/** Numbers in [0, 1), by mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function reference({ uri, cid }: StrongRef): StrongRef {
  return { uri, cid }
}

function didOf(actor: number): string {
  const hex = createHash('sha256').update(`actor${actor}`).digest('hex')
  // base32 has no 0, 1, 8 or 9.
  return `did:plc:${hex.replaceAll(/[01]/g, 'a').replaceAll(/[89]/g, 'b').slice(0, 24)}`
}

/** The CID that a repo would have for this value. */
export function cidOf(value: RecordJson): string {
  const hash = createHash('sha256')
    .update(encode(value as LexValue))
    .digest()
  return CID.createV1(DAG_CBOR, createDigest(SHA2_256, hash)).toString()
}
