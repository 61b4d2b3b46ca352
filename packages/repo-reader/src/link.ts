/** Of a CID of version 1 with SHA-256. */
export const CID_BYTES = 36

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** A CID as it stands in blocks: its bytes, and what they say. Version 1 only, as the data model has it. */
export class Link {
  readonly version = 1
  readonly bytes: Buffer
  readonly code: number
  /** The bytes as a string of single-byte characters: cheap to make, and what maps of blocks are keyed by. */
  readonly key: string

  private constructor(bytes: Buffer, code: number) {
    this.bytes = bytes
    this.code = code
    this.key = bytes.toString('latin1')
  }

  /** Undefined when the bytes are no CID of version 1. */
  static read(bytes: Buffer): Link | undefined {
    // Nearly all: CBOR (0x71) or raw (0x55), hashed with SHA-256, 32 bytes long.
    if (bytes.length === CID_BYTES && isSha256Cid(bytes, 0)) return new Link(bytes, bytes[1]!)
    const [version, code, hash, size] = varints(bytes, 4)
    if (version?.value !== 1 || !code || !hash || !size || size.end + size.value !== bytes.length) return undefined
    return new Link(bytes, code.value)
  }

  /** The CID that begins at a place in some bytes, copied; it has to be one with SHA-256. */
  static at(bytes: Uint8Array, at: number): Link {
    const link = Link.read(Buffer.from(bytes.subarray(at, at + CID_BYTES)))
    if (!link) throw new TypeError('not a CID with SHA-256')
    return link
  }

  /** The link that a map of blocks is keyed by. */
  static ofKey(key: string): Link {
    const link = Link.read(Buffer.from(key, 'latin1'))
    if (!link) throw new TypeError('not the key of a link')
    return link
  }

  get multihash(): { code: number; digest: Uint8Array } {
    const [, , hash, size] = varints(this.bytes, 4)
    return { code: hash!.value, digest: this.bytes.subarray(size!.end) }
  }

  /** Whether a SHA-256 hash of the content can be compared with it. */
  get isSha256(): boolean {
    return this.bytes.length === CID_BYTES && this.bytes[2] === 0x12 && this.bytes[3] === 0x20
  }

  /** Its text, in base32. */
  toString(): string {
    return cidText(this.bytes)
  }
}

/** Whether a CID of version 1 with SHA-256 begins here. Codecs beyond one byte, which would move what follows, are of no use. */
export function isSha256Cid(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 1 && bytes[at + 1]! < 0x80 && bytes[at + 2] === 0x12 && bytes[at + 3] === 0x20
}
/** Two letters for ten bits. */
const pairs = Array.from({ length: 1_024 }, (_, bits) => alphabet[bits >> 5]! + alphabet[bits & 31]!)

/** Base32 without padding, after the letter that says so. */
function cidText(bytes: Uint8Array): string {
  let text = 'b'
  let bits = 0
  let value = 0
  for (let index = 0; index < bytes.length; index++) {
    value = ((value << 8) | bytes[index]!) & 0x3_ffff
    bits += 8
    if (bits < 10) continue
    bits -= 10
    text += pairs[(value >> bits) & 1_023]!
  }
  if (bits === 0) return text
  return bits > 5 ? text + pairs[(value << (10 - bits)) & 1_023]! : text + alphabet[(value << (5 - bits)) & 31]!
}

interface Varint {
  value: number
  end: number
}

function varints(bytes: Uint8Array, count: number): Varint[] {
  const found: Varint[] = []
  let at = 0
  while (found.length < count) {
    const varint = readVarint(bytes, at)
    if (!varint) break
    found.push(varint)
    at = varint.end
  }
  return found
}

/** An unsigned varint of at most 9 bytes and 2^53 - 1; undefined when there is none at this place. */
function readVarint(bytes: Uint8Array, start: number): Varint | undefined {
  let value = 0
  let scale = 1
  for (let at = start; at < bytes.length && at < start + 9; at++) {
    const byte = bytes[at]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, end: at + 1 } : undefined
    scale *= 128
  }
  return undefined
}
