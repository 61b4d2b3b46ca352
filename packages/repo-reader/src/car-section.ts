import { decodeCbor, isMap, type CborValue } from './cbor.ts'
import { breakRule } from './errors.ts'
import { CID_BYTES, isSha256Cid, Link } from './link.ts'

/** Most bytes of one block, its CID not counted. */
const MAX_BLOCK_BYTES = 2_000_000
/** Bytes of a length. */
const MAX_LENGTH_BYTES = 9

/** Where a section lies, after its length. Filled in by the reader: a file of a million sections needs one of them. */
export interface Section {
  start: number
  end: number
}

/**
 * Reads the length that a section begins with; its end may lie beyond `limit`, where the bytes end. False when not even
 * the length is whole.
 * @throws {InvalidEventError} `bad-car`.
 */
export function readSection(bytes: Uint8Array, at: number, limit: number, section: Section): boolean {
  let size = 0
  let scale = 1
  for (let next = at; next < limit; next++) {
    const byte = bytes[next]!
    size += (byte & 0x7f) * scale
    if (byte < 0x80) {
      if (size === 0) breakRule('car-section-size', 'a section is empty')
      if (size > MAX_BLOCK_BYTES + CID_BYTES) breakRule('car-section-size', `a section has ${size} bytes`)
      section.start = next + 1
      section.end = next + 1 + size
      return true
    }
    if (next - at === MAX_LENGTH_BYTES - 1) breakRule('car-length', 'a length has no end')
    scale *= 128
  }
  return false
}

/**
 * Looks at the CID that a section with a block begins with: content under any other could not be checked.
 * @throws {InvalidEventError} `bad-car`.
 */
export function checkCid(bytes: Uint8Array, start: number, end: number): void {
  if (start + CID_BYTES > end || !isSha256Cid(bytes, start))
    breakRule('car-cid', 'a block is not under a CID of version 1 with SHA-256')
}

/** The first root. @throws {InvalidEventError} `bad-car`. */
export function readHeader(bytes: Uint8Array): Link {
  const header = decodeHeader(bytes)
  if (!isMap(header) || header['version'] !== 1 || !Array.isArray(header['roots']))
    breakRule('car-header', 'the header is not one')
  const [root] = header['roots']
  return root instanceof Link ? root : breakRule('car-header', 'it has no root')
}

function decodeHeader(bytes: Uint8Array): CborValue {
  try {
    return decodeCbor(bytes, { sorted: false })
  } catch (cause) {
    return breakRule('car-header', 'the header is not CBOR', { cause })
  }
}
