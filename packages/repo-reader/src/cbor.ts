import { breakRule } from './errors.ts'
import { Link } from './link.ts'

/** A value of DAG-CBOR: bytes as `Uint8Array`, CIDs as `Link`, integers within 2^53 - 1, no fractions. */
export type CborValue = null | boolean | number | string | Uint8Array | Link | CborValue[] | CborMap

/** A map of DAG-CBOR, with its keys in their order. `__proto__` is a key like others. */
export type CborMap = { [key: string]: CborValue }

/** Containers within containers that a block or frame may have, itself included (hazard J8). */
export const MAX_DEPTH = 64

export interface CborOptions {
  /**
   * Whether keys of maps must be sorted as DAG-CBOR sorts them. Blocks, which are known by their hash, must; frames
   * need not. Two equal keys are refused in both.
   * @default true
   */
  sorted?: boolean
}

/**
 * Reads one strict DAG-CBOR item that fills `bytes` (hazard J7): definite lengths, shortest integers, text that is
 * UTF-8, keys that are text, tag 42 alone. CIDs come out as {@link Link}, bytes as views of the input.
 *
 * Fractions and integers beyond 2^53 - 1 are refused (hazard J2), and so are more than 64 levels, before the call stack
 * feels them (hazard J8). A `__proto__` key becomes an own property (hazard J4).
 * @throws {InvalidEventError} `bad-cbor`, `bad-number`, `bad-utf8` or `too-deep`.
 */
export function decodeCbor(bytes: Uint8Array, options?: CborOptions): CborValue {
  const [value, end] = decodeFirst(bytes, 0, options)
  if (end !== bytes.length) breakRule('cbor-trailing', `${bytes.length - end} bytes follow the item`)
  return value
}

/** Reads the item at `start` and tells where it ends. */
export function decodeFirst(
  bytes: Uint8Array,
  start: number,
  { sorted = true }: CborOptions = {},
): [CborValue, number] {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, sorted)
  return [reader.value(1), reader.at]
}

/** True for a decoded map. */
export function isMap(value: CborValue | undefined): value is CborMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Link)
  )
}

// A byte order mark is a character like others: without `ignoreBOM` it would vanish from the text.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Short texts that were read last, each in the place that its bytes lead to. */
const RECENT_TEXTS = 1_024
const RECENT_LENGTH = 40
const recent: string[] = Array.from({ length: RECENT_TEXTS }, () => '')

class Reader {
  readonly #bytes: Buffer
  readonly #sorted: boolean
  at: number

  constructor(bytes: Buffer, at: number, sorted: boolean) {
    this.#bytes = bytes
    this.at = at
    this.#sorted = sorted
  }

  value(depth: number): CborValue {
    const first = this.#byte()
    const info = first & 31
    switch (first >> 5) {
      case 0:
        return this.#integer(info)
      case 1:
        return this.#negative(info)
      case 2:
        return this.#slice(this.#size(info))
      case 3:
        return this.#text(this.#size(info))
      case 4:
        return this.#array(this.#size(info), depth)
      case 5:
        return this.#map(this.#size(info), depth)
      case 6:
        return this.#link(info)
      default:
        return this.#simple(info)
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.at++]
    return byte ?? breakRule('cbor-end', 'it ends too early')
  }

  /** The number after the first byte of an item; shortest form only. */
  #argument(info: number): number {
    if (info < 24) return info
    const { at } = this
    const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
    if (size === 0) breakRule('cbor-definite', 'a length is indefinite or reserved')
    if (at + size > this.#bytes.length) breakRule('cbor-end', 'it ends too early')
    this.at += size
    if (size < 8) {
      const value = this.#bytes.readUIntBE(at, size)
      const least = size === 1 ? 24 : size === 2 ? 0x100 : 0x10000
      return value >= least ? value : breakRule('cbor-shortest', 'an integer is not in its shortest form')
    }
    const high = this.#bytes.readUInt32BE(at)
    if (high === 0) breakRule('cbor-shortest', 'an integer is not in its shortest form')
    return high * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4)
  }

  #integer(info: number): number {
    const value = this.#argument(info)
    return Number.isSafeInteger(value) ? value : breakRule('cbor-integer', 'an integer is beyond 2^53 - 1')
  }

  #negative(info: number): number {
    const value = -1 - this.#argument(info)
    return Number.isSafeInteger(value) ? value : breakRule('cbor-integer', 'an integer is beyond 2^53 - 1')
  }

  /** A length can be no more than the bytes that are left, so nothing is allocated for a lie. */
  #size(info: number): number {
    const size = this.#argument(info)
    return size <= this.#bytes.length - this.at ? size : breakRule('cbor-end', 'it ends too early')
  }

  #slice(size: number): Buffer {
    const start = this.at
    this.at += size
    return this.#bytes.subarray(start, this.at)
  }

  #text(size: number): string {
    const start = this.at
    const end = start + size
    this.at = end
    let mix = size
    for (let at = start; at < end; at++) {
      const byte = this.#bytes[at]!
      if (byte >= 0x80) return this.#utf8(start, end)
      mix = Math.imul(mix, 31) + byte
    }
    return size <= RECENT_LENGTH ? this.#recent(start, end, mix) : this.#bytes.toString('latin1', start, end)
  }

  /** Names of fields, types and accounts come again and again: the text that is there is cheaper than one made anew. */
  #recent(start: number, end: number, mix: number): string {
    const slot = mix & (RECENT_TEXTS - 1)
    const known = recent[slot]!
    return this.#holds(start, end, known) ? known : (recent[slot] = this.#bytes.toString('latin1', start, end))
  }

  #holds(start: number, end: number, text: string): boolean {
    if (text.length !== end - start) return false
    for (let at = start; at < end; at++) if (this.#bytes[at] !== text.charCodeAt(at - start)) return false
    return true
  }

  #utf8(start: number, end: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, end))
    } catch {
      return breakRule('cbor-utf8', 'a text is not UTF-8')
    }
  }

  #array(size: number, depth: number): CborValue[] {
    if (depth > MAX_DEPTH) breakRule('cbor-depth', `it has more than ${MAX_DEPTH} levels`)
    const items: CborValue[] = []
    for (let index = 0; index < size; index++) items.push(this.value(depth + 1))
    return items
  }

  #map(size: number, depth: number): CborMap {
    if (depth > MAX_DEPTH) breakRule('cbor-depth', `it has more than ${MAX_DEPTH} levels`)
    const map: CborMap = {}
    let lastStart = 0
    let lastEnd = 0
    for (let index = 0; index < size; index++) {
      const first = this.#byte()
      if (first >> 5 !== 3) breakRule('cbor-keys', 'a key is not text')
      const keySize = this.#size(first & 31)
      const start = this.at
      const key = this.#text(keySize)
      if (index > 0 && this.#sorted && !this.#follows(lastStart, lastEnd, start, this.at))
        breakRule('cbor-key-order', 'keys are not sorted, or one is there twice')
      lastStart = start
      lastEnd = this.at
      if (!this.#sorted && Object.hasOwn(map, key)) breakRule('cbor-key-order', 'a key is there twice')
      const value = this.value(depth + 1)
      if (key === '__proto__')
        Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
      else map[key] = value
    }
    return map
  }

  /** DAG-CBOR sorts shorter keys first, then by bytes. */
  #follows(lastStart: number, lastEnd: number, start: number, end: number): boolean {
    const longer = end - start - (lastEnd - lastStart)
    return longer > 0 || (longer === 0 && this.#bytes.compare(this.#bytes, lastStart, lastEnd, start, end) > 0)
  }

  #link(info: number): Link {
    if (this.#argument(info) !== 42) breakRule('cbor-tag', 'a tag is not 42')
    const first = this.#byte()
    if (first >> 5 !== 2) breakRule('cbor-link', 'a link is not bytes')
    const bytes = this.#slice(this.#size(first & 31))
    const link = bytes[0] === 0 ? Link.read(bytes.subarray(1)) : undefined
    return link ?? breakRule('cbor-link', 'a link is not a CID of version 1')
  }

  #simple(info: number): boolean | null {
    if (info === 20 || info === 21) return info === 21
    if (info === 22) return null
    return info >= 25 && info <= 27
      ? breakRule('cbor-fraction', 'a number is a fraction')
      : breakRule('cbor-simple', 'a simple value is not true, false or null')
  }
}
