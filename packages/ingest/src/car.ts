import { hash } from 'node:crypto'
import { InvalidEventError } from '@millrace/stream-protocol'
import { decodeCbor, isMap } from './cbor.ts'
import { Link, readVarint } from './link.ts'

/** Blocks by the key of their link. */
export type Blocks = ReadonlyMap<string, Buffer>

export interface Car {
  /** The first root; others are tolerated. */
  readonly root: Link
  readonly blocks: Blocks
}

/** Most bytes of one block. */
const MAX_BLOCK_BYTES = 2_000_000

/**
 * Reads a CAR file of version 1 that is whole in memory. Blocks are views of it.
 *
 * With `hashes`, the content of every block is compared with its CID, so that what is found under a CID is what was
 * signed; duplicate and unrelated blocks are tolerated.
 * @throws {InvalidEventError} `bad-car`.
 */
export function readCar(bytes: Uint8Array, { hashes = true }: { hashes?: boolean } = {}): Car {
  const car = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = section(car, 0)
  const root = readHeader(car.subarray(header.start, header.end))
  const blocks = new Map<string, Buffer>()
  for (let at = header.end; at < car.length;) {
    const { start, end } = section(car, at)
    const link = start + 36 <= end ? Link.read(car.subarray(start, start + 36)) : undefined
    if (!link?.isSha256) fail('a block is not under a CID of version 1 with SHA-256')
    const content = car.subarray(start + 36, end)
    if (content.length > MAX_BLOCK_BYTES) fail(`a block has ${content.length} bytes`)
    if (hashes && hash('sha256', content, 'buffer').compare(link.bytes, 4) !== 0)
      fail(`the content of block ${link} has another hash`)
    blocks.set(link.key, content)
    at = end
  }
  return { root, blocks }
}

function section(car: Buffer, at: number): { start: number; end: number } {
  const size = readVarint(car, at) ?? fail('a length is cut off')
  const end = size.end + size.value
  return size.value > 0 && end <= car.length ? { start: size.end, end } : fail('it is cut off')
}

function readHeader(bytes: Uint8Array): Link {
  const header = decodeCbor(bytes, { sorted: false })
  if (!isMap(header) || header['version'] !== 1 || !Array.isArray(header['roots'])) fail('the header is not one')
  const [root] = header['roots']
  return root instanceof Link ? root : fail('it has no root')
}

function fail(what: string): never {
  throw new InvalidEventError('bad-car', `not a CAR file: ${what}`)
}
