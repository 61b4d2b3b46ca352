import { decodeFirst, isMap, type CborMap } from '@millrace/repo-reader'
import { InvalidEventError } from '@millrace/stream-protocol'

/** Most bytes of a websocket message, decompressed. */
export const MAX_FRAME_BYTES = 5_000_000

/** Messages that have a place in their host's sequence. */
export type SequencedType = 'commit' | 'sync' | 'account' | 'identity' | 'labels'

/** One websocket message of `com.atproto.sync.subscribeRepos` or `com.atproto.label.subscribeLabels`. */
export type Frame =
  /** `seq` is a positive safe integer; nothing else of the body has been looked at. */
  | { type: SequencedType; seq: number; body: CborMap }
  /** Something about the subscription, such as `OutdatedCursor`. */
  | { type: 'info'; name: string; message: string }
  /** The host ends the subscription: `FutureCursor`, `ConsumerTooSlow` and others. */
  | { type: 'error'; error: string; message: string }
  /** A kind that we do not know. Its body was not read. */
  | { type: 'unknown'; op: number; t: string }

const sequenced: ReadonlySet<string> = new Set<SequencedType>(['commit', 'sync', 'account', 'identity', 'labels'])

/**
 * Reads a message: a header with `op` (signed: -1 is an error frame) and `t`, then its body, both DAG-CBOR.
 * Kinds that are not known are no error, so that a host may add some.
 * @throws {InvalidEventError} `too-large`, `bad-frame`, `bad-seq`, or what {@link decodeFirst} throws.
 */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length > MAX_FRAME_BYTES) fail('too-large', `it has ${bytes.length} bytes`)
  const [header, start] = decodeFirst(bytes, 0, { sorted: false })
  if (!isMap(header)) return fail('bad-frame', 'its header is not a map')
  const { op, t } = header
  if (typeof op !== 'number') return fail('bad-frame', 'its header has no op')
  if (op === -1) {
    const body = readBody(bytes, start)
    return { type: 'error', error: text(body['error']) || 'Unknown', message: text(body['message']) }
  }
  // With the name of the lexicon before the mark, a type means the same.
  const type = typeof t === 'string' ? t.slice(t.indexOf('#') + 1) : ''
  if (op === 1 && type === 'info') {
    const body = readBody(bytes, start)
    return { type, name: text(body['name']) || 'Unknown', message: text(body['message']) }
  }
  if (op !== 1 || !isSequenced(type)) return { type: 'unknown', op, t: text(t) }
  const body = readBody(bytes, start)
  const { seq } = body
  if (typeof seq !== 'number' || seq < 1) return fail('bad-seq', 'its seq is not a positive integer')
  return { type, seq, body }
}

function readBody(bytes: Uint8Array, start: number): CborMap {
  if (start === bytes.length) fail('bad-frame', 'it has no body')
  const [body, end] = decodeFirst(bytes, start, { sorted: false })
  if (end !== bytes.length) fail('bad-frame', `${bytes.length - end} bytes follow its body`)
  return isMap(body) ? body : fail('bad-frame', 'its body is not a map')
}

function isSequenced(type: string): type is SequencedType {
  return sequenced.has(type)
}

/** Text for people, never longer than a line of a log should be. */
function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 300) : ''
}

function fail(reason: string, what: string): never {
  throw new InvalidEventError(reason, `not a frame: ${what}`)
}
