import { hash } from 'node:crypto'
import { checkCid, readHeader, readSection, type Section } from './car-section.ts'
import { breakRule } from './errors.ts'
import { CID_BYTES, Link } from './link.ts'

/** Blocks by the key of their link. A `Map` is one. */
export interface Blocks {
  has(key: string): boolean
  get(key: string): Buffer | undefined
}

/** A CAR file: its root, and its blocks by CID, each of which has the hash that it stands under. */
export interface Car {
  /** The first root; others are tolerated. */
  readonly root: Link
  readonly blocks: Blocks
}

export interface ReadCarOptions {
  /** Which blocks are hashed. @default 'all' */
  hashes?: 'all' | 'none'
}

/**
 * Reads a CAR file of version 1 that is whole in memory, and small: for whole repos there is `Slab`. Blocks are views.
 *
 * The content of a block is compared with its CID, so that what is found under a CID is what was signed. Duplicate and
 * unrelated blocks are tolerated; of two under one CID the first counts.
 * @throws {InvalidEventError} `bad-car`.
 */
export function readCar(bytes: Uint8Array, { hashes = 'all' }: ReadCarOptions = {}): Car {
  const car = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const section: Section = { start: 0, end: 0 }
  readWholeSection(car, 0, section)
  const root = readHeader(car.subarray(section.start, section.end))
  const blocks = new Map<string, Buffer>()
  while (section.end < car.length) {
    readWholeSection(car, section.end, section)
    const { start, end } = section
    checkCid(car, start, end)
    const key = car.toString('latin1', start, start + CID_BYTES)
    const block = car.subarray(start + CID_BYTES, end)
    if (hashes === 'all' && !isUnder(key, block))
      breakRule('car-hash', `the content of block ${Link.ofKey(key)} has another hash`)
    if (!blocks.has(key)) blocks.set(key, block)
  }
  return { root, blocks }
}

function isUnder(key: string, block: Buffer): boolean {
  return key.endsWith(hash('sha256', block, 'binary'))
}

function readWholeSection(car: Buffer, at: number, section: Section): void {
  if (!readSection(car, at, car.length, section) || section.end > car.length) breakRule('car-end', 'it is cut off')
}
