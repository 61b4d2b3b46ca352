import { failpoint } from '@millrace/failpoints'
import { setImmediate } from 'node:timers/promises'
import {
  Backoff,
  CursorConflictError,
  cursorKey,
  epochKey,
  sleep,
  type CursorStore,
  type EventSink,
  type HostGap,
  type Ledger,
  type Logger,
  type Meter,
} from '@millrace/stream-protocol'
import { Batch } from './batch.ts'
import type { Conversion } from './conversion.ts'
import { MAX_FRAME_BYTES, type Frame } from './frame.ts'
import type { FrameGate } from './frame-gate.ts'
import { FrameReader, type FrameEnd } from './frame-reader.ts'
import { FrameSocket, type Closed } from './frame-socket.ts'
import { hostLabel, subscriptionUrl } from './host-url.ts'
import { subscriptionMetrics, type ConnectionState, type SubscriptionMetrics } from './metrics.ts'
import { retrying } from './retry.ts'
import type { SubscriptionSettings } from './subscription-settings.ts'

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

type End = FrameEnd | { next: 'stop' }

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
  readonly #reader: FrameReader<E>
  readonly #metrics: SubscriptionMetrics
  readonly #backoff: Backoff
  readonly #status: SubscriptionStatus
  /** Highest sequence number that is appended, or was asked to start after. */
  #lastSeq: number | undefined
  #gate: FrameGate<E> | undefined
  /** How often the host has lost its numbers: within one such time alone can they be compared (hazards L2, I22). */
  #epoch = 0
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
    this.#reader = new FrameReader({ host: this.#host, stream, convert: options.convert, logger: this.#logger })
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
      using gate = this.#options.openGate?.()
      this.#gate = gate
      this.#reader.begin({ seq: this.#lastSeq, epoch: this.#epoch, gate })
      using socket = new FrameSocket({
        ...this.#options,
        url: subscriptionUrl(host, nsid, cursor),
        handshakeTimeoutMs: 20_000,
        maxPayloadBytes: this.#reader.stepsOverLarge(this.#lastSeq) ? MAX_STEPPED_OVER_BYTES : MAX_FRAME_BYTES,
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
      if (this.#gate?.isReady) this.#reader.takeSettled(batch)
      if (batch.frames > 0) {
        firstDataAt ??= performance.now()
        await this.#flush(batch, signal)
        if (performance.now() - firstDataAt >= healthyMs) this.#backoff.reset()
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

  /** What is still held back at the end of a connection may settle for a moment. The rest comes again from the cursor. */
  async #drain(signal: AbortSignal): Promise<void> {
    const gate = this.#gate
    if (!gate) return
    const until = performance.now() + DRAIN_MS
    while (gate.size > 0 && !signal.aborted && performance.now() < until) {
      if (!gate.isReady) await Promise.race([gate.wait(), sleep(until - performance.now(), signal)])
      const batch = new Batch<E>(this.#host, this.#options.sink.stream)
      this.#reader.takeSettled(batch)
      if (batch.frames > 0) await this.#flush(batch, signal)
    }
    this.#abandon(gate.size)
  }

  #abandon(frames: number): void {
    if (frames === 0) return
    this.#countAbandoned(frames)
    this.#gate = undefined
  }

  #countAbandoned(frames: number): void {
    const lost = new Batch<E>(this.#host, this.#options.sink.stream)
    for (let frame = 0; frame < frames; frame++) lost.count('abandoned')
    this.#metrics.done(lost)
  }

  #closed(closed: Closed): End {
    if (closed.reason === 'too-large') this.#reader.countTooLarge()
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

  #read(bytes: Buffer, batch: Batch<E>): FrameEnd | undefined {
    this.#status.frames++
    this.#status.lastFrameAt = Date.now()
    this.#metrics.received(1)
    return this.#reader.read(bytes, batch, { cursor: this.#status.cursor, seq: this.#lastSeq })
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
      this.#countAbandoned(batch.frames)
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
    return open === undefined ? this.#reader.seq! : open - 1
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
