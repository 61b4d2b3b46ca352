import { hash, randomInt } from 'node:crypto'
import { checkCid, readHeader, readSection, type Section } from './car-section.ts'
import { CarSegments, SEGMENT_BYTES } from './car-segments.ts'
import { breakRule } from './errors.ts'
import { CID_BYTES, type Link } from './link.ts'

/** Places are numbers of 32 bits: which segment, and where in it. */
const MAX_SEGMENTS = 1024
const DIGEST_BYTES = 32
/** Of a table of places. */
const FIRST_SLOTS = 64

/** Strangers choose CIDs; which ones collide in our tables they cannot know. */
const [seedA, seedB] = [randomInt(2 ** 32), randomInt(2 ** 32)]

/** Where a block lies: its content, and the segment that this is in. Filled in by the finder. */
export interface Found {
  segment: Buffer
  start: number
  end: number
}

/**
 * The blocks of a CAR file in the memory that it arrived in, with a table of where they are: four to eight bytes for a
 * block, and no object.
 *
 * Each block is hashed as it comes in, and only those under their own CID are ever found. Unrelated, duplicate and forged
 * blocks do no harm; a forged one in place of a block that is needed is an error.
 */
export class Slab implements Disposable {
  readonly #segments: Buffer[] = []
  #root: Link | undefined
  /** Places of sections plus one, by the hash of their CID; 0 is empty. Never more than half full. */
  #slots = new Uint32Array(FIRST_SLOTS)
  #blocks = 0
  #bytes = 0
  /** Where the finder looks. */
  readonly #looked: Found = { segment: Buffer.alloc(0), start: 0, end: 0 }

  /** All of a file that is whole in memory, copied. @throws {InvalidEventError} `bad-car`. */
  static of(car: Uint8Array): Slab {
    const slab = new Slab()
    const segments = new CarSegments({ onSegment: (segment) => slab.add(segment), expectedBytes: car.length })
    segments.write(car)
    segments.end()
    return slab
  }

  /** The first root; others are tolerated. */
  get root(): Link {
    return this.#root ?? breakRule('car-end', 'it is empty')
  }

  /** Of the file, as far as it has come in. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Takes the next segment of the file, as `CarSegments` cuts them: whole sections, the header first.
   * @throws {InvalidEventError} `bad-car`.
   */
  add(segment: Buffer): void {
    if (this.#segments.length === MAX_SEGMENTS) breakRule('car-size', 'it is too large')
    if (segment.length > SEGMENT_BYTES) breakRule('car-size', 'a segment is too large')
    const base = this.#segments.push(segment) * SEGMENT_BYTES - SEGMENT_BYTES
    this.#bytes += segment.length
    const section: Section = { start: 0, end: 0 }
    for (let at = 0; at < segment.length; at = section.end) {
      if (!readSection(segment, at, segment.length, section) || section.end > segment.length)
        breakRule('car-end', 'it is cut off')
      const { start, end } = section
      if (this.#root === undefined) {
        this.#root = readHeader(segment.subarray(start, end))
        continue
      }
      checkCid(segment, start, end)
      if (!isUnderCid(segment, start, end)) continue
      if (this.#blocks * 2 >= this.#slots.length) this.#enlarge()
      const slot = this.#slotOf(segment, start)
      if (this.#slots[slot] !== 0) continue
      this.#slots[slot] = base + at + 1
      this.#blocks++
    }
  }

  /** Finds the block of the CID that begins at a place in some bytes. */
  find(bytes: Uint8Array, at: number, found: Found): boolean {
    const place = this.#slots[this.#slotOf(bytes, at)]!
    if (place === 0) return false
    this.#locate(place - 1, found)
    return true
  }

  /** @returns the block of a CID, as a view that stays valid; undefined when it has not come in. */
  get(link: Link): Buffer | undefined {
    const found: Found = { segment: link.bytes, start: 0, end: 0 }
    return link.bytes.length === CID_BYTES && this.find(link.bytes, 0, found)
      ? found.segment.subarray(found.start, found.end)
      : undefined
  }

  /** Says why a block is not found: it is not there, or something else stands in its place. */
  failMissing(link: Link, what: string): never {
    if (this.#isForged(link)) breakRule('block-hash', `the content of block ${link} has another hash`)
    return breakRule('block-missing', `${what} ${link} is missing`)
  }

  /**
   * Gives the memory of its segments back at once: the garbage collector of a thread that has little else to do would
   * leave it for long. What was got of them is empty from then on.
   */
  [Symbol.dispose](): void {
    for (const { buffer } of this.#segments.splice(0)) if (buffer instanceof ArrayBuffer) buffer.transfer(0)
    this.#slots = new Uint32Array(FIRST_SLOTS)
    this.#blocks = 0
  }

  #isForged(link: Link): boolean {
    const section: Section = { start: 0, end: 0 }
    return this.#segments.some((segment, index) => {
      for (let at = 0; at < segment.length; at = section.end) {
        readSection(segment, at, segment.length, section)
        const isHeader = index === 0 && at === 0
        if (!isHeader && link.bytes.equals(segment.subarray(section.start, section.start + CID_BYTES))) return true
      }
      return false
    })
  }

  /** The slot of a CID, or the empty one where it belongs. */
  #slotOf(bytes: Uint8Array, at: number): number {
    const mask = this.#slots.length - 1
    const found = this.#looked
    for (let slot = hashOf(bytes, at) & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot]!
      if (place === 0) return slot
      this.#locate(place - 1, found)
      if (isSame(bytes, at, found.segment, found.start - CID_BYTES)) return slot
    }
  }

  #locate(place: number, found: Found): void {
    const segment = this.#segments[Math.floor(place / SEGMENT_BYTES)]!
    let at = place % SEGMENT_BYTES
    let size = 0
    let scale = 1
    for (; segment[at]! >= 0x80; at++, scale *= 128) size += (segment[at]! & 0x7f) * scale
    size += segment[at]! * scale
    found.segment = segment
    found.start = at + 1 + CID_BYTES
    found.end = at + 1 + size
  }

  #enlarge(): void {
    const before = this.#slots
    this.#slots = new Uint32Array(before.length * 2)
    const mask = this.#slots.length - 1
    const found = this.#looked
    for (const place of before) {
      if (place === 0) continue
      this.#locate(place - 1, found)
      let slot = hashOf(found.segment, found.start - CID_BYTES) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = place
    }
  }
}

function isUnderCid(segment: Buffer, start: number, end: number): boolean {
  const digest = hash('sha256', segment.subarray(start + CID_BYTES, end), 'binary')
  for (let index = 0, at = start + CID_BYTES - DIGEST_BYTES; index < DIGEST_BYTES; index++, at++)
    if (digest.charCodeAt(index) !== segment[at]) return false
  return true
}

/** Of eight bytes of the digest. */
function hashOf(bytes: Uint8Array, at: number): number {
  const a = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
  const b = bytes[at + 8]! | (bytes[at + 9]! << 8) | (bytes[at + 10]! << 16) | (bytes[at + 11]! << 24)
  const mixed = Math.imul(a ^ seedA, 0x9e3779b1) ^ Math.imul(b ^ seedB, 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

function isSame(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number): boolean {
  for (let index = CID_BYTES - 1; index >= 0; index--) if (a[aStart + index] !== b[bStart + index]) return false
  return true
}
