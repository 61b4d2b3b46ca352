import type { IncomingMessage } from 'node:http'
import { WebSocket, type RawData } from 'ws'
import { retryAfterMs } from './host-url.ts'

export interface FrameSocketOptions {
  url: string
  /** Bytes of frames not yet taken above which the socket is not read. */
  maxBufferedBytes: number
  /** Most bytes of one message. */
  maxPayloadBytes: number
  /** How long it may bring no data while somebody waits for some; 0 for ever. Pings are no data (hazard I10). */
  idleMs: number
  /** How often the host is asked for a sign of life; it has until the next time. 0 never. */
  pingMs: number
  handshakeTimeoutMs: number
  onOpen: () => void
}

/** Why a connection is over: words for logs and metrics, and what the host asked for. */
export interface Closed {
  reason: 'closed' | 'idle' | 'no-pong' | 'refused' | 'network' | 'too-large'
  detail: string
  /** What `Retry-After` said, in milliseconds. */
  retryAfterMs: number
}

/** What a frame costs in memory beside its bytes. */
const FRAME_OVERHEAD_BYTES = 256

/**
 * One connection of a subscription, as a queue of frames.
 *
 * The queue is bounded: above `maxBufferedBytes` the socket is not read, so that TCP slows the host down (hazard I14).
 * Frames that came before the end can still be taken after it.
 */
export class FrameSocket implements Disposable {
  readonly #options: FrameSocketOptions
  readonly #socket: WebSocket
  readonly #frames: Buffer[] = []
  #head = 0
  #bufferedBytes = 0
  #closed: Closed | undefined
  #waiter: PromiseWithResolvers<void> | undefined
  #idleTimer: NodeJS.Timeout | undefined
  #pingTimer: NodeJS.Timeout | undefined
  #answered = true

  constructor(options: FrameSocketOptions) {
    this.#options = options
    this.#socket = new WebSocket(options.url, {
      handshakeTimeout: options.handshakeTimeoutMs,
      maxPayload: options.maxPayloadBytes,
      // Frames are mostly hashes: compressing them saves little, and inflating them is how small messages get large.
      perMessageDeflate: false,
    })
    this.#socket.binaryType = 'nodebuffer'
    this.#socket.on('open', () => this.#opened())
    this.#socket.on('message', (data) => this.#received(data))
    this.#socket.on('pong', () => {
      this.#answered = true
    })
    this.#socket.on('unexpected-response', (_request, response) => this.#refused(response))
    this.#socket.on('error', (error: Error & { code?: string }) => {
      const reason = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too-large' : 'network'
      this.#end({ reason, detail: error.message || (error.code ?? 'unknown error'), retryAfterMs: 0 })
    })
    this.#socket.on('close', (code, text) =>
      this.#end({ reason: 'closed', detail: `${code} ${text.toString('utf8').slice(0, 200)}`.trim(), retryAfterMs: 0 }),
    )
  }

  /** Why it is over; undefined while it is not. */
  get closed(): Closed | undefined {
    return this.#closed
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get isPaused(): boolean {
    return this.#socket.isPaused
  }

  /** Takes the next frame, if one has come. */
  take(): Buffer | undefined {
    const frame = this.#frames[this.#head]
    if (!frame) return undefined
    this.#head++
    if (this.#head === this.#frames.length) {
      this.#frames.length = 0
      this.#head = 0
    }
    this.#bufferedBytes -= frame.length + FRAME_OVERHEAD_BYTES
    if (this.#socket.isPaused && this.#bufferedBytes <= this.#options.maxBufferedBytes / 2) {
      this.#answered = true
      this.#socket.resume()
    }
    return frame
  }

  /** Resolves once a frame can be taken, the connection is over, or the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#head < this.#frames.length || this.#closed || signal.aborted) return
    const waiter = Promise.withResolvers<void>()
    this.#waiter = waiter
    const wake = () => waiter.resolve()
    signal.addEventListener('abort', wake, { once: true })
    if (this.#socket.readyState === WebSocket.OPEN) this.#watch()
    try {
      await waiter.promise
    } finally {
      signal.removeEventListener('abort', wake)
      // Whoever was aborted may have waited anew by now.
      if (this.#waiter === waiter) {
        clearTimeout(this.#idleTimer)
        this.#waiter = undefined
      }
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idleTimer)
    clearInterval(this.#pingTimer)
    this.#socket.terminate()
  }

  #opened(): void {
    this.#options.onOpen()
    if (this.#waiter) this.#watch()
    if (this.#options.pingMs > 0) this.#pingTimer = setInterval(() => this.#ping(), this.#options.pingMs)
  }

  #received(data: RawData): void {
    const frame = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data
    this.#frames.push(frame)
    this.#answered = true
    this.#bufferedBytes += frame.length + FRAME_OVERHEAD_BYTES
    if (this.#bufferedBytes > this.#options.maxBufferedBytes) this.#socket.pause()
    this.#wake()
  }

  /** Runs only while somebody waits: a host is not idle because we are slow. */
  #watch(): void {
    if (this.#options.idleMs === 0) return
    clearTimeout(this.#idleTimer)
    const waiter = this.#waiter
    this.#idleTimer = setTimeout(() => {
      // After a long pause of this process the timer is due before the socket was read: let it be read first. Whoever
      // got something by that may wait for more by now.
      setImmediate(() => {
        if (this.#waiter === waiter && this.#head === this.#frames.length)
          this.#end({ reason: 'idle', detail: `no data for ${this.#options.idleMs} ms`, retryAfterMs: 0 })
      })
    }, this.#options.idleMs)
  }

  #ping(): void {
    // Pongs are not read either while the socket is paused.
    if (this.#socket.isPaused || this.#socket.readyState !== WebSocket.OPEN) return
    if (!this.#answered)
      return this.#end({ reason: 'no-pong', detail: `no sign of life for ${this.#options.pingMs} ms`, retryAfterMs: 0 })
    this.#answered = false
    this.#socket.ping()
  }

  #refused(response: IncomingMessage): void {
    response.resume()
    this.#end({
      reason: 'refused',
      detail: `HTTP status ${response.statusCode ?? 'unknown'}`,
      retryAfterMs: retryAfterMs(response.headers['retry-after'], Date.now()),
    })
  }

  #end(closed: Closed): void {
    this.#closed ??= closed
    clearInterval(this.#pingTimer)
    this.#socket.terminate()
    this.#wake()
  }

  #wake(): void {
    this.#waiter?.resolve()
  }
}
