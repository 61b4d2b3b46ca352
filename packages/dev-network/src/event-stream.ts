import { setTimeout as wait } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { errorFrame, messageFrame } from './frame.ts'

export interface EventStreamOptions {
  /** Frames that stay available to a cursor. @default Infinity */
  window?: number
  /** A subscriber with more bytes than these ahead of it, whose socket takes none, is sent away. @default 16 MiB */
  maxLagBytes?: number
  /** Highest speed of each connection. @default Infinity */
  framesPerSecond?: number
  /** Awaited before each frame of each connection. */
  gate?: ((seq: number) => Promise<void> | void) | undefined
}

interface StoredFrame {
  seq: number
  bytes: Uint8Array
  /** Bytes of the log up to and with this frame. */
  end: number
}

interface Connection {
  readonly socket: WebSocket
  /** Position in the log, from 0, of the next frame to send. */
  next: number
  sentEnd: number
  /** Set while the socket's buffer is full. */
  stalled: boolean
}

/** Bytes in a socket's buffer at which we wait for the other side. */
const highWater = 1 << 20

/**
 * A log of frames and the sockets that follow it: what is behind `subscribeRepos` and `subscribeLabels`.
 *
 * Cursors, `OutdatedCursor`, `FutureCursor` and `ConsumerTooSlow` are those of the AT Protocol's event streams.
 */
export class EventStream {
  readonly #options: Required<Omit<EventStreamOptions, 'gate'>> & Pick<EventStreamOptions, 'gate'>
  readonly #frames: StoredFrame[] = []
  readonly #connections = new Set<Connection>()
  /** Position in the log of `#frames[0]`. */
  #first = 0
  #head = 0
  #end = 0
  #holdAfter = Infinity
  #changed = Promise.withResolvers<void>()

  constructor({
    window = Infinity,
    maxLagBytes = 16 << 20,
    framesPerSecond = Infinity,
    gate,
  }: EventStreamOptions = {}) {
    this.#options = { window, maxLagBytes, framesPerSecond, gate }
  }

  /** Sequence number of the last frame; 0 before the first. */
  get head(): number {
    return this.#head
  }

  /** Sockets that follow the log now. */
  get connections(): number {
    return this.#connections.size
  }

  /** The last frame that is sent until `release`; undefined when nothing is held. */
  get heldAfter(): number | undefined {
    return Number.isFinite(this.#holdAfter) ? this.#holdAfter : undefined
  }

  /** Frames that a cursor of 0 would be sent. */
  get length(): number {
    return this.#frames.length
  }

  /** The stored frames with a sequence number above `cursor`. */
  after(cursor: number): Uint8Array[] {
    return this.#frames.slice(this.#indexAfter(cursor)).map((frame) => frame.bytes)
  }

  /** Adds a frame that says `seq` of itself. */
  append(bytes: Uint8Array, seq: number): void {
    if (seq <= this.#head) throw new Error(`frame ${seq} comes after frame ${this.#head}`)
    this.#head = seq
    this.#end += bytes.length
    this.#frames.push({ seq, bytes, end: this.#end })
    // Old frames go in larger groups: moving the array for each one would cost more than keeping them a while.
    const excess = this.#frames.length - this.#options.window
    if (excess > 0 && (excess >= 1000 || excess * 2 >= this.#options.window)) {
      this.#frames.splice(0, excess)
      this.#first += excess
    }
    for (const connection of this.#connections) {
      if (connection.stalled && this.#end - connection.sentEnd > this.#options.maxLagBytes) tooSlow(connection.socket)
    }
    this.#notify()
  }

  /** Adds the message `{ seq, …body }` and gives its sequence number. */
  appendMessage(type: string, body: Parameters<typeof messageFrame>[1]): number {
    const seq = this.#head + 1
    this.append(messageFrame(type, { ...body, seq }), seq)
    return seq
  }

  /** Adds any bytes in the place of the next frame, so that a resumed cursor meets them again. */
  appendRaw(bytes: Uint8Array): number {
    const seq = this.#head + 1
    this.append(bytes, seq)
    return seq
  }

  /** Sends bytes to those connected now, and to nobody else later. */
  sendRaw(bytes: Uint8Array): void {
    for (const { socket } of this.#connections) socket.send(bytes)
  }

  /** Ends every connection with an error frame. */
  sendError(error: string, message = error): void {
    for (const connection of this.#connections) {
      this.#connections.delete(connection)
      connection.socket.send(errorFrame(error, message))
      connection.socket.close(1008, error)
    }
  }

  /** Cuts every connection without a closing handshake, as a failing network does. */
  dropConnections(): void {
    for (const connection of this.#connections) {
      this.#connections.delete(connection)
      connection.socket.terminate()
    }
  }

  /** Sends no frame above `seq` until released. @default the head: nothing new is sent */
  hold(seq = this.#head): void {
    this.#holdAfter = seq
  }

  /** Sends on what was held. */
  release(): void {
    this.#holdAfter = Infinity
    this.#notify()
  }

  /**
   * Serves one socket until it closes.
   * @param cursor from the request: absent is live only, 0 the oldest frame there is.
   */
  accept(socket: WebSocket, cursor: number | undefined): void {
    // What a subscriber does wrong ends its connection; the log goes on.
    socket.on('error', () => socket.terminate())
    if (cursor !== undefined && cursor > this.#head) {
      socket.send(errorFrame('FutureCursor', 'Cursor in the future.'))
      socket.close(1008, 'FutureCursor')
      return
    }
    const oldest = this.#frames[0]?.seq ?? this.#head + 1
    // Numbers may have gaps, so the first of a log that lost nothing is no sign of loss.
    if (cursor !== undefined && cursor > 0 && this.#first > 0 && cursor < oldest - 1) {
      socket.send(
        messageFrame('#info', {
          name: 'OutdatedCursor',
          message: 'Requested cursor exceeded limit. Possibly missing events',
        }),
      )
    }
    const index = cursor === undefined ? this.#frames.length : this.#indexAfter(cursor)
    const connection: Connection = {
      socket,
      next: this.#first + index,
      sentEnd:
        this.#frames[index - 1]?.end ?? (this.#frames[0] ? this.#frames[0].end - this.#frames[0].bytes.length : 0),
      stalled: false,
    }
    this.#connections.add(connection)
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        this.#connections.delete(connection)
        resolve()
        this.#notify()
      })
    })
    void this.#feed(connection, closed)
  }

  async #feed(connection: Connection, closed: Promise<void>): Promise<void> {
    const { socket } = connection
    const { framesPerSecond, gate } = this.#options
    const startedAt = performance.now()
    for (let sent = 0; socket.readyState === socket.OPEN;) {
      if (connection.next < this.#first) {
        tooSlow(socket)
        return
      }
      const frame = this.#frames[connection.next - this.#first]
      if (!frame || frame.seq > this.#holdAfter) {
        await this.#changed.promise
        continue
      }
      const early = startedAt + (sent / framesPerSecond) * 1000 - performance.now()
      if (early > 1) await Promise.race([wait(early), closed])
      if (gate) await Promise.race([gate(frame.seq), closed])
      // A hold may have come in the meantime.
      if (frame.seq > this.#holdAfter || socket.readyState !== socket.OPEN) continue
      connection.next++
      connection.sentEnd = frame.end
      sent++
      if (socket.bufferedAmount < highWater) {
        socket.send(frame.bytes)
        continue
      }
      connection.stalled = true
      const flushed = new Promise<void>((resolve) => socket.send(frame.bytes, () => resolve()))
      await Promise.race([flushed, closed])
      connection.stalled = false
    }
  }

  #notify(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }

  /** Index of the first frame above `cursor`. */
  #indexAfter(cursor: number): number {
    let low = 0
    let high = this.#frames.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#frames[middle] as StoredFrame).seq > cursor) high = middle
      else low = middle + 1
    }
    return low
  }
}

function tooSlow(socket: WebSocket): void {
  socket.send(errorFrame('ConsumerTooSlow', 'Stream consumer too slow'))
  socket.close(1008, 'ConsumerTooSlow')
}

/** The `cursor` of a subscription request. */
export function cursorOf(url: URL): number | undefined {
  const text = url.searchParams.get('cursor')
  return text === null || text === '' ? undefined : Number(text)
}
