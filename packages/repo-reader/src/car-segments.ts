import { checkCid, readHeader, readSection, type Section } from './car-section.ts'
import { breakRule } from './errors.ts'

/** Most bytes of a segment. A section has at most half of it. */
export const SEGMENT_BYTES = 4 * 1024 * 1024
const FIRST_BYTES = 16 * 1024

export interface CarSegmentsOptions {
  /** Is given each segment once it is full; from then on it is the receiver's, who may transfer it to another thread. */
  onSegment: (segment: Buffer<ArrayBuffer>) => void
  /** Size of the file where it is known, so that memory is taken once. */
  expectedBytes?: number | undefined
}

/**
 * Cuts a CAR file that arrives in parts of any size into segments of whole sections, each in memory of its own.
 *
 * What is no CAR file is refused with its first bytes: header, lengths and CIDs are looked at as they arrive. Contents
 * are not. It holds one segment at a time.
 */
export class CarSegments {
  readonly #onSegment: (segment: Buffer<ArrayBuffer>) => void
  readonly #section: Section = { start: 0, end: 0 }
  #segment: Buffer<ArrayBuffer>
  /** End of what was written into the segment. */
  #filled = 0
  /** Beginning of the section that is not whole yet. */
  #open = 0
  #hasHeader = false

  constructor({ onSegment, expectedBytes = FIRST_BYTES }: CarSegmentsOptions) {
    this.#onSegment = onSegment
    this.#segment = Buffer.allocUnsafeSlow(Math.max(1, Math.min(expectedBytes, SEGMENT_BYTES)))
  }

  /** @throws {InvalidEventError} `bad-car`. */
  write(part: Uint8Array): void {
    for (let at = 0; at < part.length;) {
      if (this.#filled === this.#segment.length) this.#makeRoom()
      const taken = part.subarray(at, at + this.#segment.length - this.#filled)
      this.#segment.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      this.#scan()
    }
  }

  /** Gives out what is left. @throws {InvalidEventError} `bad-car` when the file ends within a section. */
  end(): void {
    if (!this.#hasHeader || this.#open < this.#filled) breakRule('car-end', 'it is cut off')
    if (this.#open > 0) this.#onSegment(this.#segment.subarray(0, this.#open))
  }

  #scan(): void {
    const segment = this.#segment
    const section = this.#section
    while (readSection(segment, this.#open, this.#filled, section) && section.end <= this.#filled) {
      if (this.#hasHeader) checkCid(segment, section.start, section.end)
      else readHeader(segment.subarray(section.start, section.end))
      this.#hasHeader = true
      this.#open = section.end
    }
  }

  #makeRoom(): void {
    const full = this.#segment
    if (full.length < SEGMENT_BYTES) {
      this.#segment = Buffer.allocUnsafeSlow(Math.min(2 * full.length, SEGMENT_BYTES))
      full.copy(this.#segment)
      return
    }
    this.#segment = Buffer.allocUnsafeSlow(SEGMENT_BYTES)
    this.#filled = full.copy(this.#segment, 0, this.#open)
    this.#onSegment(full.subarray(0, this.#open))
    this.#open = 0
  }
}
