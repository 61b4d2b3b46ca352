import { isUtf8 } from 'node:buffer'
import { InvalidEventError } from './errors.ts'

/** Containers within containers that CBOR may have, the outermost included (hazard J8). */
const MAX_DEPTH = 64
const LINK_TAG = 42

/**
 * Checks that bytes are one item of the DAG-CBOR that the AT Protocol data model allows, so that a lenient decoder may
 * be let near them: no indefinite lengths, only shortest heads, map keys that are text, sorted and unique, valid UTF-8,
 * no tag but links, no fractions, no integers beyond 2^53 - 1, no undefined, no `__proto__` key, at most 64 levels, no
 * bytes left over (hazards J2, J4, J5, J7, J8). It reads once, front to back, without recursion, and builds nothing.
 * @throws {InvalidEventError} `bad-cbor`, saying what stands at which byte.
 */
export function checkCbor(bytes: Uint8Array): void {
  const scan = new Scan(bytes)
  scan.run()
}

/** One open list or map. Lists count items, maps count keys and values. */
interface Level {
  left: number
  map: boolean
  /** Where the last key lies, to compare the next one with. */
  keyStart: number
  keyEnd: number
}

class Scan {
  readonly #bytes: Uint8Array
  readonly #levels: Level[] = []
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  run(): void {
    do {
      const level = this.#levels.at(-1)
      if (level === undefined || !level.map || level.left % 2 === 1) this.#item(level)
      else this.#key(level)
      while (this.#levels.at(-1)?.left === 0) this.#levels.pop()
    } while (this.#levels.length > 0)
    if (this.#at !== this.#bytes.length) this.#fail('bytes left over')
  }

  #item(level: Level | undefined): void {
    if (level) level.left--
    const start = this.#at
    const first = this.#byte()
    const major = first >> 5
    if (major === 7) {
      if (first < 0xf4 || first > 0xf6)
        this.#fail(first >= 0xf9 && first <= 0xfb ? 'a fraction' : 'a simple value', start)
      return
    }
    const value = this.#argument(first)
    switch (major) {
      case 0:
      case 1:
        // -1 - value for negative ones: the smallest is -(2^53 - 1).
        if (value > Number.MAX_SAFE_INTEGER - major) this.#fail('an integer beyond 2^53 - 1', start)
        return
      case 2:
        this.#skip(value)
        return
      case 3:
        this.#text(value)
        return
      case 4:
      case 5:
        this.#open(value, major === 5)
        return
      default:
        this.#link(value, start)
    }
  }

  #key(level: Level): void {
    level.left--
    const start = this.#at
    const first = this.#byte()
    if (first >> 5 !== 3) this.#fail('a key that is not text', start)
    const length = this.#argument(first)
    const keyStart = this.#at
    this.#text(length)
    if (level.keyEnd !== 0 && !this.#follows(level.keyStart, level.keyEnd, keyStart, this.#at))
      this.#fail('a key that is not after the one before it', start)
    // Decoders assign keys, and this one would set the prototype of the map.
    if (length === 9 && Buffer.from(this.#bytes.subarray(keyStart, this.#at)).toString('latin1') === '__proto__')
      this.#fail('the key __proto__', start)
    level.keyStart = keyStart
    level.keyEnd = this.#at
  }

  /** Shorter keys come first, and equally long ones in the order of their bytes. */
  #follows(aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
    const length = aEnd - aStart
    if (length !== bEnd - bStart) return length < bEnd - bStart
    for (let i = 0; i < length; i++) {
      const difference = this.#bytes[aStart + i]! - this.#bytes[bStart + i]!
      if (difference !== 0) return difference < 0
    }
    return false
  }

  #open(count: number, map: boolean): void {
    const items = map ? count * 2 : count
    // Every item is at least a byte: a count beyond the end must not keep anyone busy.
    if (items > this.#bytes.length - this.#at) this.#fail('a container longer than the input')
    if (this.#levels.length === MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels`)
    this.#levels.push({ left: items, map, keyStart: 0, keyEnd: 0 })
  }

  #link(tag: number, start: number): void {
    if (tag !== LINK_TAG) this.#fail('an unknown tag', start)
    const first = this.#byte()
    if (first >> 5 !== 2) this.#fail('a link that is not bytes', start)
    const length = this.#argument(first)
    if (length < 5 || length > 129 || this.#bytes[this.#at] !== 0) this.#fail('a link that is no CID', start)
    this.#skip(length)
  }

  #text(length: number): void {
    const start = this.#at
    this.#skip(length)
    if (!isUtf8(this.#bytes.subarray(start, this.#at))) this.#fail('text that is not UTF-8', start)
  }

  #argument(first: number): number {
    const info = first & 31
    if (info < 24) return info
    if (info > 27) return this.#fail('an indefinite length', this.#at - 1)
    const size = 1 << (info - 24)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + this.#byte()
    const least = size === 1 ? 24 : 2 ** (size * 4)
    if (value < least) this.#fail('a head longer than needed', this.#at - size - 1)
    return value
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? this.#fail('the end, too early')
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#at) this.#fail('the end, too early')
    this.#at += length
  }

  #fail(what: string, at = this.#at): never {
    throw new InvalidEventError('bad-cbor', `not CBOR of the data model: ${what} at byte ${at}`)
  }
}
