import { hash } from 'node:crypto'
import { decode, type LexValue } from '@atproto/lex-cbor'
import { ifCid, type Cid } from '@atproto/lex-data'
import { checkCbor, isObject } from '@millrace/stream-protocol'

/** Most bytes of a block, its CID not counted. */
const MAX_BLOCK_BYTES = 2_000_000
/** A CID of version 1 with SHA-256. Blocks under any other could not be checked. */
const CID_BYTES = 36

/** What does not hold, told with its reason; callers know whose repo it is. */
export class CarError extends Error {
  override readonly name = 'CarError'
  readonly reason: 'bad-car' | 'bad-block' | 'missing-block'

  constructor(reason: CarError['reason'], message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.reason = reason
  }
}

/**
 * The blocks of a CAR file (version 1) that is whole in memory. Further roots, duplicate and unrelated blocks are
 * tolerated; a block that is asked for has the content that its CID says, or it is an error.
 */
export class Car {
  readonly root: Cid
  readonly #blocks: ReadonlyMap<string, Uint8Array>

  private constructor(root: Cid, blocks: ReadonlyMap<string, Uint8Array>) {
    this.root = root
    this.#blocks = blocks
  }

  /** @throws {CarError} `bad-car` */
  static read(bytes: Uint8Array): Car {
    const car = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const header = section(car, 0)
    const root = readRoot(car.subarray(header.start, header.end))
    const blocks = new Map<string, Uint8Array>()
    for (let at = header.end; at < car.length;) {
      const { start, end } = section(car, at)
      if (end - start < CID_BYTES || car.readUInt16BE(start + 2) !== 0x1220 || car[start] !== 1)
        throw new CarError('bad-car', 'a block is not under a CID of version 1 with SHA-256')
      if (end - start - CID_BYTES > MAX_BLOCK_BYTES)
        throw new CarError('bad-car', `a block has ${end - start - CID_BYTES} bytes`)
      const key = car.toString('latin1', start, start + CID_BYTES)
      // The first one counts, as with roots.
      if (!blocks.has(key)) blocks.set(key, car.subarray(start + CID_BYTES, end))
      at = end
    }
    return new Car(root, blocks)
  }

  /** @throws {CarError} `missing-block`, or `bad-block` when the content has another hash. */
  block(cid: Cid): Uint8Array {
    const key = Buffer.from(cid.bytes.buffer, cid.bytes.byteOffset, cid.bytes.byteLength)
    const content = this.#blocks.get(key.toString('latin1'))
    if (!content) throw new CarError('missing-block', `block ${cid} is missing`)
    if (hash('sha256', content, 'buffer').compare(key, 4) !== 0)
      throw new CarError('bad-block', `the content of block ${cid} has another hash`)
    return content
  }

  /** A block that is a CBOR map. */
  map(cid: Cid): { [key: string]: LexValue } {
    const block = this.block(cid)
    try {
      checkCbor(block)
      const value = decode(block)
      if (isObject(value) && !ifCid(value)) return value as { [key: string]: LexValue }
    } catch (cause) {
      throw new CarError('bad-block', `block ${cid} is not CBOR`, { cause })
    }
    throw new CarError('bad-block', `block ${cid} is not a map`)
  }
}

function readRoot(header: Uint8Array): Cid {
  let roots: unknown
  try {
    checkCbor(header)
    const value = decode(header)
    roots = isObject(value) && value['version'] === 1 ? value['roots'] : undefined
  } catch (cause) {
    throw new CarError('bad-car', 'the header is not CBOR', { cause })
  }
  const root = Array.isArray(roots) ? ifCid(roots[0] as unknown) : null
  if (!root) throw new CarError('bad-car', 'there is no root')
  return root
}

/** Where the bytes lie that follow a length. */
function section(car: Buffer, at: number): { start: number; end: number } {
  let size = 0
  for (let i = 0; i < 9; i++) {
    const byte = car[at + i]
    if (byte === undefined) throw new CarError('bad-car', 'it ends within a length')
    size += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    const start = at + i + 1
    if (size === 0 || size > car.length - start) throw new CarError('bad-car', 'it ends within a block')
    return { start, end: start + size }
  }
  throw new CarError('bad-car', 'a length is too long')
}
