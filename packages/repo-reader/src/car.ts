import { hash } from 'node:crypto'
import { InvalidEventError } from '@millrace/stream-protocol'
import { decodeCbor, isMap, type CborValue } from './cbor.ts'
import { Link, readVarint } from './link.ts'

/** Blocks by the key of their link. A `Map` is one. */
export interface Blocks {
  has(key: string): boolean
  /** @throws {InvalidEventError} `bad-block` when the content has another hash, if that was not looked at before. */
  get(key: string): Buffer | undefined
}

export interface Car {
  /** The first root; others are tolerated. */
  readonly root: Link
  readonly blocks: Blocks
}

export interface ReadCarOptions {
  /**
   * Which blocks are hashed: all of them at once, or each when it is asked for, so that blocks nobody asks for may hold
   * anything; or none.
   * @default 'all'
   */
  hashes?: 'all' | 'used' | 'none'
}

/** Most bytes of one block, its CID not counted. */
const MAX_BLOCK_BYTES = 2_000_000
/** A CID of version 1 with SHA-256. Blocks under any other could not be checked. */
const CID_BYTES = 36

/**
 * Reads a CAR file of version 1 that is whole in memory. Blocks are views of it.
 *
 * The content of a block is compared with its CID, so that what is found under a CID is what was signed. Duplicate and
 * unrelated blocks are tolerated; of two under one CID the first counts.
 * @throws {InvalidEventError} `bad-car`.
 */
export function readCar(bytes: Uint8Array, { hashes = 'all' }: ReadCarOptions = {}): Car {
  const car = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = section(car, 0)
  const root = readHeader(car.subarray(header.start, header.end))
  const blocks = new Map<string, Buffer>()
  for (let at = header.end; at < car.length;) {
    const { start, end } = section(car, at)
    const content = start + CID_BYTES
    // Codecs beyond one byte are of no use here, and would move what follows.
    if (content > end || car[start] !== 1 || car[start + 1]! > 0x7f || car.readUInt16BE(start + 2) !== 0x1220)
      fail('a block is not under a CID of version 1 with SHA-256')
    if (end - content > MAX_BLOCK_BYTES) fail(`a block has ${end - content} bytes`)
    const key = car.toString('latin1', start, content)
    const block = car.subarray(content, end)
    if (hashes === 'all' && !isUnder(key, block)) fail(`the content of block ${Link.ofKey(key)} has another hash`)
    if (!blocks.has(key)) blocks.set(key, block)
    at = end
  }
  return { root, blocks: hashes === 'used' ? new CheckedBlocks(blocks) : blocks }
}

/** Hashes a block each time that it is asked for. */
class CheckedBlocks implements Blocks {
  readonly #blocks: ReadonlyMap<string, Buffer>

  constructor(blocks: ReadonlyMap<string, Buffer>) {
    this.#blocks = blocks
  }

  has(key: string): boolean {
    return this.#blocks.has(key)
  }

  get(key: string): Buffer | undefined {
    const block = this.#blocks.get(key)
    if (block && !isUnder(key, block))
      throw new InvalidEventError('bad-block', `the content of block ${Link.ofKey(key)} has another hash`)
    return block
  }
}

function isUnder(key: string, block: Buffer): boolean {
  return key.endsWith(hash('sha256', block, 'binary'))
}

function section(car: Buffer, at: number): { start: number; end: number } {
  const size = readVarint(car, at) ?? fail('a length is cut off')
  const end = size.end + size.value
  return size.value > 0 && end <= car.length ? { start: size.end, end } : fail('it is cut off')
}

function readHeader(bytes: Uint8Array): Link {
  const header = decodeHeader(bytes)
  if (!isMap(header) || header['version'] !== 1 || !Array.isArray(header['roots'])) fail('the header is not one')
  const [root] = header['roots']
  return root instanceof Link ? root : fail('it has no root')
}

function decodeHeader(bytes: Uint8Array): CborValue {
  try {
    return decodeCbor(bytes, { sorted: false })
  } catch (cause) {
    return fail('the header is not CBOR', cause)
  }
}

function fail(what: string, cause?: unknown): never {
  throw new InvalidEventError('bad-car', `not a CAR file: ${what}`, { cause })
}
