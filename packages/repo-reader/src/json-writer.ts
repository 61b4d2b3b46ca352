import { isUtf8 } from 'node:buffer'
import { CID_BYTES, isSha256Cid } from './link.ts'
import { MAX_DEPTH } from './cbor.ts'
import { MAX_RECORD_BYTES } from './record.ts'

const FIRST_BYTES = 64 * 1024
/** Bytes of JSON that one byte of text may become: `\u0001`. */
const MAX_ESCAPE = 6
/** Bytes of JSON that an item takes beyond its own: a number, `false`, a link of 36 bytes with quotes and brackets. */
const MAX_ITEM = 80

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const EQUALS = 0x3d
const DOLLAR = 0x24
/** Marks bytes whose escape has six characters. */
const LONG = 1

/** What follows the backslash in place of a byte of text: a letter, or `LONG`; 0 where none is needed. */
const escapes = new Uint8Array(256).fill(LONG, 0, 0x20)
escapes.set(Buffer.from('btn'), 0x08)
escapes.set(Buffer.from('fr'), 0x0c)
escapes[QUOTE] = QUOTE
escapes[BACKSLASH] = BACKSLASH
/** 1 for bytes of text that are copied without a further look. */
const plain = escapes.map((escape, byte) => (escape === 0 && byte < 0x80 ? 1 : 0))

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')
const LINK = Buffer.from('{"$link":"')
const BYTES = Buffer.from('{"$bytes":"')
const END = Buffer.from('"}')
const base32 = Buffer.from('abcdefghijklmnopqrstuvwxyz234567')
const hex = Buffer.from('0123456789abcdef')

/**
 * JSON as bytes, a record of it written from CBOR without a value in between: text is copied where it needs no escape,
 * which is nearly everywhere.
 */
export class JsonWriter {
  #out = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  /** The CBOR that is being read. */
  #in: Buffer = this.#out
  #at = 0
  #end = 0

  get length(): number {
    return this.#length
  }

  /** A copy of what was written, in memory of its own. The writer begins anew. */
  take(): Buffer<ArrayBuffer> {
    const taken = Buffer.allocUnsafeSlow(this.#length)
    this.#out.copy(taken, 0, 0, this.#length)
    this.#length = 0
    return taken
  }

  /** Takes back what was written beyond a length. */
  backTo(length: number): void {
    this.#length = length
  }

  /** Text that is JSON. */
  raw(json: string): void {
    this.#reserve(3 * json.length)
    this.#length += this.#out.write(json, this.#length)
  }

  /** A whole number within 2^53 - 1. */
  integer(value: number): void {
    const digits = String(value)
    this.#reserve(digits.length)
    for (let index = 0; index < digits.length; index++) this.#out[this.#length++] = digits.charCodeAt(index)
  }

  /** The text of the CID that begins at a place, without quotes. */
  cid(bytes: Buffer, at: number): void {
    this.#reserve(MAX_ITEM)
    const out = this.#out
    let length = this.#length
    out[length++] = 0x62
    let value = 0
    let bits = 0
    for (let index = 0; index < CID_BYTES; index++) {
      value = ((value << 8) | bytes[at + index]!) & 0xfff
      for (bits += 8; bits >= 5;) {
        bits -= 5
        out[length++] = base32[(value >> bits) & 31]!
      }
    }
    out[length++] = base32[(value << (5 - bits)) & 31]!
    this.#length = length
  }

  /**
   * Writes what `JSON.stringify` makes of `readRecord`, but for the order of keys that look like integers. False, with
   * nothing written, for every record that it is not sure of: `readRecord` then tells what is wrong with it, if anything.
   */
  record(bytes: Buffer, start: number, end: number): boolean {
    const before = this.#length
    this.#in = bytes
    this.#at = start
    this.#end = end
    if (end - start <= MAX_RECORD_BYTES && bytes[start]! >> 5 === 5 && this.#value(1) && this.#at === end) return true
    this.#length = before
    return false
  }

  #value(depth: number): boolean {
    if (this.#at >= this.#end) return false
    this.#reserve(MAX_ITEM)
    const first = this.#in[this.#at++]!
    const major = first >> 5
    if (major === 7) return this.#simple(first)
    if (major === 6) return this.#link(first)
    const argument = this.#argument(first & 31)
    if (argument === -1) return false
    if (major < 2) return this.#integer(major === 0 ? argument : -1 - argument)
    // A length can be no more than the bytes that are left.
    if (argument > this.#end - this.#at) return false
    switch (major) {
      case 2:
        return this.#bytes(argument)
      case 3:
        return this.#text(argument)
      case 4:
        return this.#array(argument, depth)
      default:
        return this.#map(argument, depth)
    }
  }

  /** The number after the first byte of an item; -1 when it is not in its shortest form, or not there. */
  #argument(info: number): number {
    if (info < 24) return info
    const bytes = this.#in
    const at = this.#at
    const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
    if (size === 0 || at + size > this.#end) return -1
    this.#at = at + size
    if (size === 1) return bytes[at]! >= 24 ? bytes[at]! : -1
    const value = bytes.readUIntBE(at, Math.min(size, 4))
    if (size === 2) return value >= 0x100 ? value : -1
    if (size === 4) return value >= 0x10000 ? value : -1
    return value > 0 ? value * 0x1_0000_0000 + bytes.readUInt32BE(at + 4) : -1
  }

  #integer(value: number): boolean {
    if (!Number.isSafeInteger(value)) return false
    this.integer(value)
    return true
  }

  #bytes(size: number): boolean {
    const text = this.#in.toString('base64', this.#at, this.#at + size)
    this.#at += size
    this.#reserve(text.length + MAX_ITEM)
    this.#put(BYTES)
    this.#length += this.#out.write(text, this.#length, 'latin1')
    while (this.#out[this.#length - 1] === EQUALS) this.#length--
    this.#put(END)
    return true
  }

  #text(size: number): boolean {
    const bytes = this.#in
    const end = this.#at + size
    this.#reserve(size + MAX_ITEM)
    const out = this.#out
    let length = this.#length
    let at = this.#at
    out[length++] = QUOTE
    while (at < end && plain[bytes[at]!] === 1) out[length++] = bytes[at++]!
    this.#at = at
    this.#length = length
    if (at < end && !this.#oddText(end)) return false
    this.#out[this.#length++] = QUOTE
    return true
  }

  /** The rest of a text, which has letters beyond ASCII or needs escapes. */
  #oddText(end: number): boolean {
    const bytes = this.#in
    let at = this.#at
    if (!isUtf8(bytes.subarray(at, end))) return false
    this.#reserve((end - at) * MAX_ESCAPE + MAX_ITEM)
    const out = this.#out
    let length = this.#length
    for (; at < end; at++) {
      const byte = bytes[at]!
      const escape = escapes[byte]!
      if (escape === 0) {
        out[length++] = byte
        continue
      }
      out[length++] = BACKSLASH
      if (escape !== LONG) {
        out[length++] = escape
        continue
      }
      out[length++] = 0x75
      out[length++] = 0x30
      out[length++] = 0x30
      out[length++] = hex[byte >> 4]!
      out[length++] = hex[byte & 15]!
    }
    this.#at = at
    this.#length = length
    return true
  }

  #array(size: number, depth: number): boolean {
    if (depth > MAX_DEPTH) return false
    this.#out[this.#length++] = 0x5b
    for (let index = 0; index < size; index++) {
      if (index > 0) this.#out[this.#length++] = COMMA
      if (!this.#value(depth + 1)) return false
    }
    this.#reserve(MAX_ITEM)
    this.#out[this.#length++] = 0x5d
    return true
  }

  #map(size: number, depth: number): boolean {
    if (depth > MAX_DEPTH) return false
    this.#out[this.#length++] = 0x7b
    let lastStart = 0
    let lastSize = -1
    for (let index = 0; index < size; index++) {
      if (index > 0) this.#out[this.#length++] = COMMA
      const first = this.#in[this.#at++]!
      const keySize = first >> 5 === 3 ? this.#argument(first & 31) : -1
      const start = this.#at
      if (keySize === -1 || start + keySize > this.#end || !this.#follows(lastStart, lastSize, start, keySize))
        return false
      // Alone in its map, such a key is an affair of `recordJson`.
      if (size === 1 && this.#in[start] === DOLLAR) return false
      lastStart = start
      lastSize = keySize
      if (!this.#text(keySize)) return false
      this.#out[this.#length++] = COLON
      if (!this.#value(depth + 1)) return false
    }
    this.#reserve(MAX_ITEM)
    this.#out[this.#length++] = 0x7d
    return true
  }

  /** DAG-CBOR sorts shorter keys first, then by bytes. */
  #follows(lastStart: number, lastSize: number, start: number, size: number): boolean {
    if (size !== lastSize) return size > lastSize
    const bytes = this.#in
    for (let index = 0; index < size; index++) {
      const difference = bytes[start + index]! - bytes[lastStart + index]!
      if (difference !== 0) return difference > 0
    }
    return false
  }

  /** Nearly all are CBOR or raw, hashed with SHA-256. */
  #link(first: number): boolean {
    const bytes = this.#in
    const at = this.#at + 4
    const isCommon =
      first === 0xd8 &&
      bytes[at - 4] === 42 &&
      bytes[at - 3] === 0x58 &&
      bytes[at - 2] === CID_BYTES + 1 &&
      bytes[at - 1] === 0 &&
      at + CID_BYTES <= this.#end &&
      isSha256Cid(bytes, at)
    if (!isCommon) return false
    this.#at = at + CID_BYTES
    this.#put(LINK)
    this.cid(bytes, at)
    this.#reserve(MAX_ITEM)
    this.#put(END)
    return true
  }

  #simple(first: number): boolean {
    if (first < 0xf4 || first > 0xf6) return false
    this.#put(first === 0xf4 ? FALSE : first === 0xf5 ? TRUE : NULL)
    return true
  }

  #put(bytes: Buffer): void {
    for (let index = 0; index < bytes.length; index++) this.#out[this.#length++] = bytes[index]!
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#out.length))
    this.#out.copy(larger, 0, 0, this.#length)
    this.#out = larger
  }
}
