import { isGuarded } from '@millrace/failpoints'
import { TemporaryIdentityError, type DidResolver } from '@millrace/identity'
import { Backoff, sleep, type StreamEvent } from '@millrace/stream-protocol'
import type { CommitProof, Conversion } from './conversion.ts'
import { KeyBook } from './key-book.ts'
import type { SignatureCheck } from './signature-check.ts'
import type { SignaturePool } from './signature-pool.ts'

export interface SignatureGateOptions {
  resolver: Pick<DidResolver, 'resolve' | 'expire'>
  pool: Pick<SignaturePool, 'verify'>
  /** Frames of one account that may wait, and their bytes (hazard I12). @default 100 and 8 MB */
  maxQueued?: number
  maxQueuedBytes?: number
  /** Frames of all accounts that may wait for keys, and their bytes. @default 10_000 and 64 MB */
  maxWaiting?: number
  maxWaitingBytes?: number
  /** How long a frame waits for a key, in milliseconds. @default 60_000 */
  maxWaitMs?: number
  /** Keys that are remembered. @default 200_000 */
  maxKeys?: number
}

/** A frame with its place in the sequence. */
export interface Settled {
  seq: number
  conversion: Conversion<StreamEvent>
}

interface Held extends Settled {
  proof: CommitProof | undefined
  bytes: number
  /** When it came, in milliseconds that only rise. */
  since: number
  /** `idle`: nobody looks at it now. */
  state: 'idle' | 'sent' | 'holds'
  /** The key that it did not hold with. */
  failedWith: string | undefined
}

/** What is known of an account's key, asked for at a time. */
interface Answer {
  key: string | undefined
  /** When it was asked past every cache; never, for what a cache may have said. */
  freshAt: number
}

interface Queue {
  did: string
  frames: Held[]
  bytes: number
  answer: Answer | undefined
  /** Set while it waits for an answer. */
  isAsking: boolean
}

/** Signatures that are checked together. */
const TOGETHER = 32
/** Frames that make an append worth it. */
const ENOUGH = 500
/** Frames on their way to being checked above which no more are read. */
const BUSY = 1_000

/**
 * Holds frames back until the signature of their commit is known to hold, account by account: those of one account leave
 * it in the order in which they came, and nobody waits for another account (hazards I12, I13).
 *
 * A key that is known is used without asking anybody. One that does not hold is judged by a document that was asked for
 * past every cache, after the frame came (hazard I20): then the frame is invalid. While no document can be had frames wait;
 * an account that has too many of them, or for too long, loses some, and is marked to be fetched instead (hazard G4).
 */
export class SignatureGate implements Disposable {
  readonly #options: Required<SignatureGateOptions>
  readonly #host: string
  readonly #keys: KeyBook
  readonly #queues = new Map<string, Queue>()
  /** In the order in which they came, until what they came to is durable. */
  readonly #undone = new Set<number>()
  #settled: Settled[] = []
  #toCheck: { queue: Queue; held: Held; check: SignatureCheck }[] = []
  #checking = 0
  #waiting = 0
  #waitingBytes = 0
  #waiter: PromiseWithResolvers<void> | undefined
  #error: Error | undefined
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout

  constructor(host: string, options: SignatureGateOptions) {
    this.#host = host
    this.#options = {
      maxQueued: 100,
      maxQueuedBytes: 8_000_000,
      maxWaiting: 10_000,
      maxWaitingBytes: 64_000_000,
      maxWaitMs: 60_000,
      maxKeys: 200_000,
      ...options,
    }
    this.#keys = new KeyBook(this.#options.maxKeys)
    this.#timer = setInterval(() => this.#giveUpOld(), Math.min(1_000, this.#options.maxWaitMs / 4)).unref()
  }

  /** The lowest number that is not durable, these left out; undefined when there is none. */
  firstBeyond(seqs: ReadonlySet<number>): number | undefined {
    for (const seq of this.#undone) if (!seqs.has(seq)) return seq
    return undefined
  }

  /** Frames that came in and were not taken out. */
  get size(): number {
    return this.#waiting + this.#settled.length
  }

  /** Whether no frame should come in for now: our own work is behind, whatever the accounts are like (hazard I14). */
  get isBusy(): boolean {
    return this.#toCheck.length + this.#checking + this.#settled.length >= BUSY
  }

  /**
   * Whether taking is worth it: there is enough for an append, or all there is for now. While signatures are being
   * checked there will be more in a moment.
   */
  get isReady(): boolean {
    const settled = this.#settled.length
    if (this.#error !== undefined || settled >= ENOUGH) return true
    return settled > 0 && this.#toCheck.length + this.#checking === 0
  }

  /** Takes a frame in, with the number of its bytes. What becomes of it is told by `take`. */
  admit(seq: number, conversion: Conversion<StreamEvent>, bytes: number): void {
    this.#undone.add(seq)
    const { did, proof } = conversion
    const queue = did === undefined ? undefined : this.#queues.get(did)
    if (did === undefined || (!queue && !proof)) return this.#settle(did, { seq, conversion })
    if (this.#isFull(queue, bytes))
      return this.#settle(did, { seq, conversion: givenUp(conversion, 'queue-full', this.#host) })
    const held: Held = { seq, conversion, proof, bytes, since: performance.now(), state: 'idle', failedWith: undefined }
    this.#waiting++
    this.#waitingBytes += bytes
    this.#advance(this.#enqueue(did, queue, held))
  }

  /** What has been decided, each frame once, those of one account in order. */
  take(): Settled[] {
    if (this.#error !== undefined) throw this.#error
    const settled = this.#settled
    this.#settled = []
    return settled
  }

  /** Resolves once it is ready. */
  async wait(): Promise<void> {
    if (this.isReady) return
    this.#waiter ??= Promise.withResolvers()
    await this.#waiter.promise
  }

  /** These are durable now. */
  done(seqs: readonly number[]): void {
    for (const seq of seqs) this.#undone.delete(seq)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#stop.abort()
  }

  #isFull(queue: Queue | undefined, bytes: number): boolean {
    const { maxQueued, maxQueuedBytes, maxWaiting, maxWaitingBytes } = this.#options
    if (queue && (queue.frames.length >= maxQueued || queue.bytes + bytes > maxQueuedBytes)) return true
    return this.#waiting >= maxWaiting || this.#waitingBytes + bytes > maxWaitingBytes
  }

  #enqueue(did: string, open: Queue | undefined, held: Held): Queue {
    const queue = open ?? { did, frames: [], bytes: 0, answer: undefined, isAsking: false }
    if (!open) this.#queues.set(did, queue)
    queue.frames.push(held)
    queue.bytes += held.bytes
    return queue
  }

  /** Does with an account's frames what can be done now, from the first one on. */
  #advance(queue: Queue): void {
    const { did, frames } = queue
    for (let head = frames[0]; head; head = frames[0]) {
      if (!head.proof || head.state === 'holds') this.#leave(queue, head.conversion)
      else if (this.#isRefuted(queue, head))
        this.#leave(queue, unproven(head.conversion, queue.answer?.key, this.#host))
      else break
    }
    if (frames.length === 0) {
      if (!queue.isAsking) this.#queues.delete(did)
      return
    }
    const key = this.#keys.get(did)
    for (const held of frames) {
      if (held.state !== 'idle' || !held.proof) continue
      if (key === undefined || held.failedWith === key) return this.#ask(queue)
      this.#check(queue, held, held.proof, key)
    }
  }

  /** Whether the newest document was asked for after the frame came, and the frame does not hold with its key. */
  #isRefuted({ answer }: Queue, { since, state, failedWith }: Held): boolean {
    if (state !== 'idle' || !answer || answer.freshAt < since) return false
    return answer.key === undefined || answer.key === failedWith
  }

  #check(queue: Queue, held: Held, { bytes, sig }: CommitProof, didKey: string): void {
    held.state = 'sent'
    this.#toCheck.push({ queue, held, check: { didKey, bytes, sig } })
    if (this.#toCheck.length >= TOGETHER) void this.#flush()
    else if (this.#toCheck.length === 1) setImmediate(() => void this.#flush())
  }

  async #flush(): Promise<void> {
    const some = this.#toCheck
    if (some.length === 0) return
    this.#toCheck = []
    this.#checking += some.length
    try {
      const holds = await this.#options.pool.verify(some.map(({ check }) => check))
      for (const [index, { held, check }] of some.entries()) {
        held.state = holds[index] === 1 || !isGuarded('commit-signature') ? 'holds' : 'idle'
        if (held.state === 'idle') held.failedWith = check.didKey
      }
      for (const { queue } of some) this.#advance(queue)
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#checking -= some.length
      this.#tell()
    }
  }

  /** Asks who the account is, past every cache once a frame did not hold with what was known. */
  #ask(queue: Queue): void {
    if (queue.isAsking) return
    queue.isAsking = true
    void this.#lookUp(queue).then(
      (answer) => {
        queue.isAsking = false
        queue.answer = answer
        if (answer?.key === undefined) this.#keys.delete(queue.did)
        else this.#keys.set(queue.did, answer.key)
        this.#advance(queue)
      },
      (error: unknown) => {
        if (!this.#stop.signal.aborted) this.#fail(error)
      },
    )
  }

  async #lookUp(queue: Queue): Promise<Answer | undefined> {
    const { resolver } = this.#options
    const backoff = new Backoff({ minMs: 100, maxMs: 10_000 })
    const { signal } = this.#stop
    while (queue.frames.length > 0) {
      signal.throwIfAborted()
      const fresh = queue.answer !== undefined || queue.frames.some(({ failedWith }) => failedWith !== undefined)
      const askedAt = performance.now()
      try {
        const resolution = await resolver.resolve(queue.did, { fresh })
        const key = resolution.kind === 'found' ? resolution.identity.signingKey : undefined
        return { key, freshAt: fresh ? askedAt : Number.NEGATIVE_INFINITY }
      } catch (error) {
        if (!(error instanceof TemporaryIdentityError)) throw error
        await sleep(Math.max(backoff.nextMs(), error.retryAfterMs ?? 0), signal)
      }
    }
    return queue.answer
  }

  /** A bug of ours: whoever takes next is told. */
  #fail(error: unknown): void {
    this.#error ??= error instanceof Error ? error : new Error(String(error))
    this.#tell()
  }

  #tell(): void {
    if (!this.isReady) return
    this.#waiter?.resolve()
    this.#waiter = undefined
  }

  #giveUpOld(): void {
    const oldest = performance.now() - this.#options.maxWaitMs
    for (const queue of this.#queues.values()) {
      const before = queue.frames.length
      for (let head = queue.frames[0]; head?.state === 'idle' && head.since < oldest; head = queue.frames[0])
        this.#leave(queue, givenUp(head.conversion, 'unknown-key', this.#host))
      if (queue.frames.length < before) this.#advance(queue)
    }
  }

  #leave(queue: Queue, conversion: Conversion<StreamEvent>): void {
    const held = queue.frames.shift()!
    queue.bytes -= held.bytes
    this.#waiting--
    this.#waitingBytes -= held.bytes
    this.#settle(queue.did, { seq: held.seq, conversion })
  }

  #settle(did: string | undefined, settled: Settled): void {
    // Commits before it were signed by the former key, so it counts from here on, not from when it came (hazard D7).
    if (did !== undefined && settled.conversion.events[0]?.type === 'identity') {
      this.#keys.delete(did)
      this.#options.resolver.expire(did)
    }
    this.#settled.push(settled)
    this.#tell()
  }
}

function unproven(conversion: Conversion<StreamEvent>, key: string | undefined, host: string): Conversion<StreamEvent> {
  const error = key === undefined ? 'its account has no signing key' : `the commit is not signed by ${key}`
  return withoutEvents(conversion, {
    outcome: 'invalid',
    reason: key === undefined ? 'no-key' : 'bad-signature',
    error,
    host,
  })
}

/** An account's own events need no proof, but their place is behind its commits: they are given up together. */
function givenUp(conversion: Conversion<StreamEvent>, reason: string, host: string): Conversion<StreamEvent> {
  return withoutEvents(conversion, {
    outcome: 'discontinuous',
    reason,
    error: 'its key could not be had in time',
    host,
  })
}

function withoutEvents(
  { did, proof, time, events }: Conversion<StreamEvent>,
  { host, ...rest }: { outcome: 'invalid' | 'discontinuous'; reason: string; error: string; host: string },
): Conversion<StreamEvent> {
  const scope = events.every(({ ifKnown }) => ifKnown) ? { ifKnown: true } : {}
  const mark = did !== undefined && { did, reason: rest.reason, host, ...(proof && { rev: proof.rev }), ...scope }
  return { events: [], rejected: [], dirty: mark ? [mark] : [], ...(time !== undefined && { time }), ...rest }
}
