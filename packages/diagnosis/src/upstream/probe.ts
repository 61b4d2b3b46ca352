import { decodeFrame, MAX_FRAME_BYTES, type Frame } from '@millrace/ingest'
import { isObject } from '@millrace/stream-protocol'
import { WebSocket } from 'ws'

/** An event of a host, by its place and its own time. */
export interface HostEvent {
  seq: number
  time?: string
}

/** Where a host stands, and where our cursor is in what it keeps. */
export interface Probe {
  askedAt: number
  /**
   * - `within`: the host has what comes after the cursor
   * - `outdated`: it has forgotten some of it
   * - `future`: the cursor is beyond its newest event
   * - `none`: there is no cursor
   */
  position: 'within' | 'outdated' | 'future' | 'none'
  /** The oldest event that it keeps. */
  oldest?: HostEvent
  /** The first one after our cursor; absent when it sent none. */
  next?: HostEvent
  /** The newest one; absent when it sent none while it was asked. */
  head?: HostEvent
}

export interface ProbeOptions {
  /** With scheme. */
  url: string
  /** @default 'com.atproto.sync.subscribeRepos' */
  method?: string
  /** Ours; null for none. */
  cursor: string | null
  /** How long the host may take to answer, and then to send something, in milliseconds. @default 3_000 and 500 */
  openMs?: number
  quietMs?: number
  signal?: AbortSignal | undefined
}

/** Subscribes for a moment: at our cursor, at the beginning, and at the end. @throws when the host does not answer. */
export async function probeUpstream(options: ProbeOptions): Promise<Probe> {
  const { cursor } = options
  const isNumber = cursor !== null && /^\d{1,16}$/.test(cursor)
  const [ours, { event }, head] = await Promise.all([
    isNumber ? firstFrames(options, cursor) : undefined,
    firstFrames(options, '0'),
    readHead(options),
  ])
  return {
    askedAt: Date.now(),
    position: ours ? positionOf(ours) : 'none',
    ...(event && { oldest: event }),
    ...(ours?.event && { next: ours.event }),
    ...(head && { head }),
  }
}

/** The newest event of a host: the first that it sends to who asks for none of the old. @throws when it does not answer. */
export async function readHead(options: Omit<ProbeOptions, 'cursor'>): Promise<HostEvent | undefined> {
  return (await firstFrames({ ...options, cursor: null }, null)).event
}

interface Heard {
  notices: string[]
  event?: HostEvent
}

function positionOf({ notices }: Heard): Probe['position'] {
  if (notices.includes('FutureCursor')) return 'future'
  return notices.includes('OutdatedCursor') ? 'outdated' : 'within'
}

/** What a host sends first: notices, then an event. None within a while is an answer, too: a quiet host. */
async function firstFrames(
  { url, method = 'com.atproto.sync.subscribeRepos', openMs = 3_000, quietMs = 500, signal }: ProbeOptions,
  cursor: string | null,
): Promise<Heard> {
  const target = new URL(`/xrpc/${method}`, url.replace(/^http/, 'ws'))
  if (cursor !== null) target.searchParams.set('cursor', cursor)
  const socket = new WebSocket(target, {
    handshakeTimeout: openMs,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
  })
  socket.binaryType = 'nodebuffer'
  const heard: Heard = { notices: [] }
  const over = Promise.withResolvers<Heard>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = (): void => over.reject(signal?.reason as Error)
  signal?.addEventListener('abort', onAbort, { once: true })
  socket.on('open', () => {
    // After a long pause of this process it is due before the socket was read: let it be read first.
    timer = setTimeout(() => setImmediate(() => over.resolve(heard)), quietMs)
  })
  socket.on('message', (data: Buffer) => {
    if (!hear(data, heard)) return
    // More comes in the meantime.
    socket.removeAllListeners('message')
    over.resolve(heard)
  })
  socket.on('error', (error) => over.reject(error))
  socket.on('close', () => over.resolve(heard))
  try {
    return await over.promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    socket.removeAllListeners()
    // A socket that is ended while it connects says so once more.
    socket.on('error', () => undefined)
    socket.terminate()
  }
}

/** @returns whether that was all: an event, or the end. */
function hear(bytes: Uint8Array, heard: Heard): boolean {
  let frame: Frame
  try {
    frame = decodeFrame(bytes)
  } catch {
    // What cannot be read is an event all the same; ingesters say what they think of it.
    return true
  }
  if (frame.type === 'info') heard.notices.push(frame.name)
  if (frame.type === 'error') heard.notices.push(frame.error)
  if ('seq' in frame) {
    const time = timeOf(frame.body)
    heard.event = { seq: frame.seq, ...(time !== undefined && { time }) }
  }
  return frame.type === 'error' || 'seq' in frame
}

function timeOf(body: { [key: string]: unknown }): string | undefined {
  if (typeof body['time'] === 'string') return body['time']
  const [label] = Array.isArray(body['labels']) ? (body['labels'] as unknown[]) : []
  return isObject(label) && typeof label['cts'] === 'string' ? label['cts'] : undefined
}
