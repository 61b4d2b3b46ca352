import { failpoint, hastened } from '@millrace/failpoints'
import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import {
  Backoff,
  CursorConflictError,
  cursorKey,
  epochKey,
  InvalidEventError,
  sleep,
  type BackoffOptions,
  type CursorStore,
  type EventSink,
  type HostGap,
  type Ledger,
  type Logger,
  type Meter,
} from '@millrace/stream-protocol'
import { Batch } from './batch.ts'
import type { Conversion } from './conversion.ts'
import { decodeFrame, MAX_FRAME_BYTES, type Frame } from './frame.ts'
import { FrameSocket, type Closed } from './frame-socket.ts'
import { hostLabel, subscriptionUrl } from './host-url.ts'
import { LogSampler } from './log-sampler.ts'
import { subscriptionMetrics, type ConnectionState, type SubscriptionMetrics } from './metrics.ts'
import { retrying } from './retry.ts'

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

export interface SubscriptionOptions<E> extends SubscriptionSettings {
  kind: 'firehose' | 'labeler'
  host: string
  nsid: string
  /** What is sent as cursor when none is stored; null sends none, which means from now on (hazard I3). */
  startCursor: () => Promise<string | null>
  sink: EventSink<E>
  cursors: CursorStore
  ledger: Ledger | undefined
  logger: Logger
  meter: Meter
  /** @param epoch how often the host has lost its sequence numbers */
  convert: (frame: Frame, epoch: number) => Conversion<E>
  /** Looks at a batch before it is appended, and may withdraw events from it. May take as long as it needs. */
  review?: (batch: Batch<E>, signal: AbortSignal) => Promise<void>
  /** Holds frames back until they may be used, for one connection. */
  openGate?: () => FrameGate<E>
}

/** Where frames wait for what is not known yet; see `SignatureGate`, which is one. */
export interface FrameGate<E> extends Disposable {
  /** The lowest number that is not durable, these left out; undefined when there is none. */
  firstBeyond(seqs: ReadonlySet<number>): number | undefined
  readonly size: number
  readonly isBusy: boolean
  readonly isReady: boolean
  admit(seq: number, conversion: Conversion<E>, bytes: number): void
  take(): { seq: number; conversion: Conversion<E> }[]
  wait(): Promise<void>
  done(seqs: readonly number[]): void
}

/** Where an ingester stands, for people and health checks. */
export interface SubscriptionStatus {
  host: string
  state: ConnectionState
  /** Why it is `waiting` or `halted`. */
  reason?: string
  /** As stored; null when nothing was stored yet. */
  cursor: string | null
  /** Of the last frame appended in this process. */
  lastSeq: number | null
  /** The last event's own time, as received. */
  lastEventTime: string | null
  /** When the last frame was read, in epoch milliseconds. */
  lastFrameAt: number | null
  /** Frames and events of this process. */
  frames: number
  events: number
  reconnects: number
}

/** Why a connection was left, and what to do next. */
type End = { next: 'stop' } | { next: 'retry'; reason: string; delayMs?: number } | { next: 'halt'; reason: string }

/** The same failure at one place is taken for the host's fault, not the connection's, from this time on (hazard I11). */
const REPEATED = 3
/** Largest message that is accepted in order to step over it. */
const MAX_STEPPED_OVER_BYTES = 256 * 1024 * 1024
/** Time that what is held back has at the end of a connection. */
const DRAIN_MS = 1_000
/** Time that frames may be converted without giving way to other work. */
const SLICE_MS = 10

/**
 * The loop under both ingesters: frames of one host → events and cursor, in one step.
 *
 * Frames are converted in order, and appended together with the cursor of the last one; while an append is under way the
 * next batch gathers. What a frame leaves behind in the ledger is there before the cursor passes it (hazard G3).
 */
export class Subscription<E> {
  readonly #options: SubscriptionOptions<E>
  readonly #host: string
  readonly #key: string
  readonly #epochKey: string
  readonly #logger: Logger
  readonly #sampler: LogSampler
  readonly #metrics: SubscriptionMetrics
  readonly #backoff: Backoff
  readonly #status: SubscriptionStatus
  /** Highest sequence number that is appended, or was asked to start after. */
  #lastSeq: number | undefined
  /** Highest sequence number that was read in this connection, appended or not. */
  #readSeq: number | undefined
  #gate: FrameGate<E> | undefined
  #firstOfConnection = true
  /** How often the host has lost its numbers: within one such time alone can they be compared (hazards L2, I22). */
  #epoch = 0
  /** How often something failed at one place of the sequence. */
  #failure = { at: '', count: 0 }
  /** Holes whose end is the next sequence number. They are recorded with it, before the cursor passes them. */
  #openGaps: HostGap[] = []
  /** What the ledger already knows about why we stand still. */
  #haltNoted: string | undefined
  #restart = new AbortController()

  constructor(options: SubscriptionOptions<E>) {
    this.#options = options
    this.#host = hostLabel(options.host)
    const { stream } = options.sink
    this.#key = cursorKey(stream, options.host)
    this.#epochKey = epochKey(stream, options.host)
    this.#logger = options.logger.child({ component: `${options.kind}-ingester`, host: this.#host })
    this.#sampler = new LogSampler(this.#logger)
    this.#metrics = subscriptionMetrics(options.meter, options.kind, { stream, host: this.#host })
    this.#backoff = new Backoff(options.backoff)
    this.#status = {
      host: this.#host,
      state: 'connecting',
      cursor: null,
      lastSeq: null,
      lastEventTime: null,
      lastFrameAt: null,
      frames: 0,
      events: 0,
      reconnects: 0,
    }
  }

  status(): SubscriptionStatus {
    return { ...this.#status }
  }

  /** Connects anew, from the cursor that is stored by then. */
  restart(): void {
    this.#restart.abort()
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      if (attempt > 0) {
        this.#status.reconnects++
        this.#metrics.reconnected()
      }
      this.#restart = new AbortController()
      const end = await this.#connect(AbortSignal.any([signal, this.#restart.signal]))
      if (signal.aborted) return
      if (end.next === 'stop') continue
      await this.#pause(end, signal)
    }
  }

  async #pause(end: Exclude<End, { next: 'stop' }>, signal: AbortSignal): Promise<void> {
    const { haltedRetryMs } = this.#options
    const delayMs =
      end.next === 'halt' ? haltedRetryMs * (1 + Math.random() / 4) : Math.max(this.#backoff.nextMs(), end.delayMs ?? 0)
    const fields = { reason: end.reason, cursor: this.#status.cursor, delayMs: Math.round(delayMs) }
    this.#setState(end.next === 'halt' ? 'halted' : 'waiting', end.reason)
    if (end.next === 'halt')
      this.#logger.error({ ...fields, alarm: end.reason }, 'halted: this host needs a decision about its cursor')
    else this.#logger.warn(fields, 'connection over: waiting')
    await sleep(delayMs, signal)
  }

  async #connect(signal: AbortSignal): Promise<End> {
    const { host, nsid, startCursor, cursors } = this.#options
    this.#setState('connecting')
    try {
      // Read anew each time: it is the store that says how far we are, not this process (I2).
      const stored = await retrying(() => cursors.get(this.#key), this.#retry('read the cursor', signal))
      this.#epoch = Number(
        (await retrying(() => cursors.get(this.#epochKey), this.#retry('read the epoch', signal))) ?? 0,
      )
      const cursor = stored ?? (await retrying(startCursor, this.#retry('read where to start', signal)))
      if (stored === null && cursor !== null) this.#logger.info({ cursor }, 'no cursor is stored: starting here')
      this.#status.cursor = stored
      this.#lastSeq = cursor !== null && /^\d{1,16}$/.test(cursor) ? Number(cursor) : undefined
      this.#readSeq = this.#lastSeq
      this.#firstOfConnection = true
      using gate = this.#options.openGate?.()
      this.#gate = gate
      using socket = new FrameSocket({
        ...this.#options,
        url: subscriptionUrl(host, nsid, cursor),
        handshakeTimeoutMs: 20_000,
        maxPayloadBytes: this.#stepsOverLarge() ? MAX_STEPPED_OVER_BYTES : MAX_FRAME_BYTES,
        onOpen: () => {
          this.#setState('streaming')
          this.#logger.info({ cursor }, 'connected')
        },
      })
      return await this.#consume(socket, signal)
    } catch (error) {
      this.#abandon(this.#gate?.size ?? 0)
      if (signal.aborted) return { next: 'stop' }
      if (error instanceof CursorConflictError) {
        this.#logger.warn({ err: error }, 'the stored cursor was moved: starting again from there')
        return { next: 'retry', reason: 'cursor-conflict' }
      }
      throw error
    }
  }

  async #consume(socket: FrameSocket, signal: AbortSignal): Promise<End> {
    const { maxBatch, maxBatchBytes, healthyMs, sink } = this.#options
    let firstDataAt: number | undefined
    for (;;) {
      await this.#waitForWork(socket, signal)
      if (signal.aborted) {
        this.#abandon(this.#gate?.size ?? 0)
        return { next: 'stop' }
      }
      const batch = new Batch<E>(this.#host, sink.stream)
      let end: End | undefined
      let frame: Buffer | undefined
      let slice = performance.now()
      while (!end && batch.events.length < maxBatch && batch.bytes < maxBatchBytes && !this.#gate?.isBusy) {
        frame = socket.take()
        if (!frame) break
        end = this.#read(frame, batch)
        if (performance.now() - slice < SLICE_MS) continue
        await setImmediate()
        slice = performance.now()
      }
      if (this.#gate?.isReady) this.#takeSettled(batch)
      if (batch.frames > 0) {
        firstDataAt ??= Date.now()
        await this.#flush(batch, signal)
        if (Date.now() - firstDataAt >= healthyMs) this.#backoff.reset()
      }
      if (end || (!frame && socket.closed && !this.#gate?.isBusy)) {
        await this.#drain(signal)
        return end ? await this.#ended(end, signal) : this.#closed(socket.closed!)
      }
    }
  }

  async #waitForWork(socket: FrameSocket, signal: AbortSignal): Promise<void> {
    const gate = this.#gate
    if (!gate) return await socket.wait(signal)
    if (gate.isReady || signal.aborted) return
    const aborted = Promise.withResolvers<void>()
    const abort = () => aborted.resolve()
    signal.addEventListener('abort', abort, { once: true })
    const over = new AbortController()
    try {
      // A host that is ahead of our checks waits until they are done.
      await Promise.race([gate.wait(), aborted.promise, ...(gate.isBusy ? [] : [socket.wait(over.signal)])])
    } finally {
      over.abort()
      signal.removeEventListener('abort', abort)
    }
  }

  #takeSettled(batch: Batch<E>): void {
    for (const { seq, conversion } of this.#gate?.take() ?? []) {
      batch.frames++
      batch.add(seq, conversion)
      this.#warnOf(seq, conversion)
    }
  }

  /** What is still held back at the end of a connection may settle for a moment. The rest comes again from the cursor. */
  async #drain(signal: AbortSignal): Promise<void> {
    const gate = this.#gate
    if (!gate) return
    const until = performance.now() + DRAIN_MS
    while (gate.size > 0 && !signal.aborted && performance.now() < until) {
      if (!gate.isReady) await Promise.race([gate.wait(), sleep(until - performance.now(), signal)])
      const batch = new Batch<E>(this.#host, this.#options.sink.stream)
      this.#takeSettled(batch)
      if (batch.frames > 0) await this.#flush(batch, signal)
    }
    this.#abandon(gate.size)
  }

  #abandon(frames: number): void {
    if (frames === 0) return
    const lost = new Batch<E>(this.#host, this.#options.sink.stream)
    for (let frame = 0; frame < frames; frame++) lost.count('abandoned')
    this.#metrics.done(lost)
    this.#gate = undefined
  }

  #closed(closed: Closed): End {
    if (closed.reason === 'too-large') this.#countFailure('too-large', this.#readSeq)
    this.#logger.debug({ ...closed }, 'connection closed')
    return { next: 'retry', reason: closed.reason, delayMs: closed.retryAfterMs }
  }

  async #ended(end: End, signal: AbortSignal): Promise<End> {
    const { cursors, sink } = this.#options
    if (end.next !== 'halt') return end
    const note = `${end.reason} ${this.#status.cursor}`
    if (this.#haltNoted !== note) {
      const fromSeq = this.#status.cursor ?? undefined
      await this.#recordGap({ host: this.#host, stream: sink.stream, reason: end.reason, fromSeq }, signal)
      // Whatever is decided about its cursor, the numbers that come then are others than those that we had.
      const epoch = String(this.#epoch + 1)
      await retrying(() => cursors.set(this.#epochKey, epoch), this.#retry('write the epoch', signal))
      this.#haltNoted = note
    }
    return end
  }

  /** Reads one frame into the batch. What it returns ends the connection after the batch is appended. */
  #read(bytes: Buffer, batch: Batch<E>): End | undefined {
    batch.frames++
    batch.bytes += bytes.length
    this.#status.frames++
    this.#status.lastFrameAt = Date.now()
    this.#metrics.received(1)
    try {
      const frame = decodeFrame(bytes)
      if (frame.type === 'error') return this.#readError(frame, batch)
      if (frame.type === 'info') return this.#readInfo(frame, batch)
      if (frame.type !== 'unknown') return this.#readSequenced(frame, bytes, batch)
      batch.count('ignored', 'unknown-type')
      return undefined
    } catch (error) {
      return this.#readGarbage(bytes, error, batch)
    }
  }

  #readSequenced(frame: Extract<Frame, { seq: number }>, bytes: Buffer, batch: Batch<E>): End | undefined {
    const { seq } = frame
    const last = this.#readSeq
    const first = this.#firstOfConnection
    this.#firstOfConnection = false
    if (last !== undefined && seq <= last) {
      // Some hosts send the event at the cursor again; anything else below it would let the sequence go back (I6).
      if (first && seq === last) {
        batch.count('ignored', 'duplicate')
        return undefined
      }
      batch.count('abandoned')
      this.#logger.warn({ seq, last }, 'the sequence went back: dropping the connection')
      const again = this.#countFailure('sequence', last)
      return again < REPEATED ? { next: 'retry', reason: 'sequence' } : { next: 'halt', reason: 'sequence' }
    }
    const conversion = this.#options.convert(frame, this.#epoch)
    // A kind that belongs to another endpoint is not ours to count in the sequence.
    if (conversion.reason === 'unknown-type') {
      batch.count('ignored', 'unknown-type')
      return undefined
    }
    for (const gap of this.#openGaps) batch.gaps.push({ ...gap, toSeq: String(seq) })
    this.#openGaps = []
    this.#readSeq = seq
    if (this.#gate) {
      // It counts in the batch that it will be appended with.
      batch.frames--
      this.#gate.admit(seq, conversion, bytes.length)
      return undefined
    }
    batch.add(seq, conversion)
    this.#warnOf(seq, conversion)
    return undefined
  }

  #warnOf(seq: number, { outcome, reason, error, rejected, dirty }: Conversion<E>): void {
    if (outcome !== 'appended' && outcome !== 'ignored')
      this.#sampler.warn(reason ?? outcome, { seq, did: dirty[0]?.did, error }, `frame is ${outcome}`)
    for (const { reason, did, uri, error } of rejected)
      this.#sampler.warn(reason, { seq, did, uri, error }, 'rejected a part of a frame')
  }

  #readError({ error, message }: Extract<Frame, { type: 'error' }>, batch: Batch<E>): End {
    batch.count('ignored', 'error-frame')
    this.#logger.warn({ error, message }, 'the host ends the subscription')
    if (error === 'FutureCursor') return { next: 'halt', reason: 'future-cursor' }
    return { next: 'retry', reason: error === 'ConsumerTooSlow' ? 'consumer-too-slow' : 'error-frame' }
  }

  #readInfo({ name, message }: Extract<Frame, { type: 'info' }>, batch: Batch<E>): undefined {
    batch.count('ignored', 'info')
    this.#logger.warn({ name, message }, 'the host says')
    if (name !== 'OutdatedCursor') return
    // Not an error, but often the only hint that events are gone (I8).
    this.#openGap('outdated-cursor', this.#place(this.#gate ? this.#readSeq : batch.lastSeq))
  }

  #readGarbage(bytes: Buffer, error: unknown, batch: Batch<E>): End | undefined {
    // A bug of ours at one frame is treated alike: it must not hold up the host for ever.
    const reason = error instanceof InvalidEventError ? error.reason : 'other'
    const message = error instanceof Error ? error.message : String(error)
    const last = batch.lastSeq ?? this.#lastSeq
    const sha256 = hash('sha256', bytes)
    const again = this.#countFailure(reason, last)
    const fields = { after: last, again, bytes: bytes.length, sha256, ...(reason === 'other' && { err: error }) }
    if (again < REPEATED) {
      batch.count('abandoned')
      this.#logger.warn({ ...fields, reason, error: message }, 'cannot read a frame: dropping the connection')
      return { next: 'retry', reason: 'undecodable' }
    }
    this.#logger.error({ ...fields, reason, error: message }, 'cannot read a frame: stepping over it')
    const place = this.#place(last)
    batch.addUndecodable(bytes, sha256, { reason, message }, place ?? 'the live end')
    this.#openGap('undecodable', place)
    return undefined
  }

  #openGap(reason: string, fromSeq: string | undefined): void {
    if (this.#openGaps.some((gap) => gap.reason === reason && gap.fromSeq === fromSeq)) return
    this.#openGaps.push({ host: this.#host, stream: this.#options.sink.stream, reason, fromSeq })
  }

  #place(seq: number | undefined): string | undefined {
    return seq === undefined ? (this.#status.cursor ?? undefined) : String(seq)
  }

  #countFailure(reason: string, seq: number | undefined): number {
    const at = `${reason === 'sequence' ? reason : 'frame'} ${seq}`
    this.#failure = { at, count: this.#failure.at === at ? this.#failure.count + 1 : 1 }
    return this.#failure.count
  }

  /** Whether the next connection is to get past a message that the earlier ones were too small for. */
  #stepsOverLarge(): boolean {
    return this.#failure.at === `frame ${this.#lastSeq}` && this.#failure.count === REPEATED - 1
  }

  async #flush(batch: Batch<E>, signal: AbortSignal): Promise<void> {
    const { sink } = this.#options
    try {
      await this.#options.review?.(batch, signal)
      await this.#record(batch, signal)
      if (batch.lastSeq !== undefined) {
        const reached = this.#reached(batch)
        const cursor = { key: this.#key, from: this.#status.cursor, to: String(reached) }
        failpoint('ingester.converted')
        // Repeating it is harmless: a store that holds `to` has the batch (I1).
        await retrying(
          () => sink.append(batch.events, { cursor, signal }),
          this.#retry(`append to ${sink.stream}`, signal),
        )
        failpoint('ingester.appended')
        this.#status.cursor = cursor.to
        this.#status.lastSeq = this.#lastSeq = reached
        this.#status.events += batch.events.length
        this.#metrics.cursor(reached)
        this.#gate?.done(batch.seqs)
      }
    } catch (error) {
      const lost = new Batch<E>(this.#host, sink.stream)
      for (let frame = 0; frame < batch.frames; frame++) lost.count('abandoned')
      this.#metrics.done(lost)
      throw error
    }
    this.#metrics.done(batch)
    if (batch.lastTime === undefined) return
    this.#status.lastEventTime = batch.lastTime
    const lag = (Date.now() - Date.parse(batch.lastTime)) / 1_000
    if (!Number.isNaN(lag)) this.#metrics.lag(Math.max(0, lag))
  }

  /** Up to where everything is done once this batch is appended (hazard I12). */
  #reached(batch: Batch<E>): number {
    const { lastSeq } = batch
    if (!this.#gate) return lastSeq!
    const own = new Set(batch.seqs)
    const open = this.#gate.firstBeyond(own)
    return open === undefined ? this.#readSeq! : open - 1
  }

  /** Without a ledger, marks are counted and logged and no more: whoever runs it so accepts that. */
  async #record({ deadLetters, dirty, gaps }: Batch<E>, signal: AbortSignal): Promise<void> {
    for (const gap of gaps) await this.#recordGap(gap, signal)
    const { ledger } = this.#options
    if (!ledger) return
    if (deadLetters.length > 0)
      await retrying(() => ledger.deadLetter(deadLetters), this.#retry('write dead letters', signal))
    if (dirty.length > 0) await retrying(() => ledger.markDirty(dirty), this.#retry('mark accounts', signal))
  }

  async #recordGap(gap: HostGap, signal: AbortSignal): Promise<void> {
    this.#logger.warn({ ...gap, alarm: 'gap' }, 'events of this host may be missing')
    const { ledger } = this.#options
    if (ledger) await retrying(() => ledger.recordGap(gap), this.#retry('record a gap', signal))
  }

  #retry(what: string, signal: AbortSignal) {
    return { what, signal, logger: this.#logger, backoff: this.#options.backoff }
  }

  #setState(state: ConnectionState, reason?: string): void {
    this.#status.state = state
    if (reason === undefined) delete this.#status.reason
    else this.#status.reason = reason
    this.#metrics.state(state)
  }
}
