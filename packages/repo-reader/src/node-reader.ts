import { CID_BYTES, isSha256Cid } from './link.ts'
import { decodeCbor } from './cbor.ts'
import { breakRule } from './errors.ts'

/** Most entries of one node. */
const MAX_ENTRIES = 1_000
/** `{ e: [` */
const HEAD = Buffer.from([0xa2, 0x61, 0x65])
/** `{ k:` of an entry. */
const K = Buffer.from([0xa4, 0x61, 0x6b])
const P = Buffer.from([0x61, 0x70])
const T = Buffer.from([0x61, 0x74])
const V = Buffer.from([0x61, 0x76])
const L = Buffer.from([0x61, 0x6c])
/** Tag 42, 37 bytes, and the zero that stands before a CID. */
const LINK = Buffer.from([0xd8, 0x2a, 0x58, 0x25, 0x00])
const NULL = 0xf6

/**
 * Reads a node of a Merkle search tree where it lies. DAG-CBOR has one form for every value, so that a node with its two
 * fields and its entries with their four have one too: nothing is decoded, bytes are where they are.
 *
 * Only the form is looked at. What keys have to be like is the affair of whoever puts them together.
 */
export class NodeReader {
  bytes: Buffer = HEAD
  #start = 0
  /** Where the last field begins, which is behind the entries. */
  #tail = 0
  #end = 0
  #at = 0
  /** Entries that are still to be read. */
  left = 0
  /** Where the CID of the subtree before all entries is; -1 without one. */
  first = -1
  /** Of the entry that was read last: what it has in common with the key before, and where the rest of its key is. */
  prefix = 0
  suffixStart = 0
  suffixEnd = 0
  /** Where the CID of its record is. */
  value = 0
  /** Where the CID of the subtree after it is; -1 without one. */
  subtree = -1

  /** @throws {BrokenRuleError} `bad-cbor`, or `bad-mst` with `tree-node` or `tree-entries`. */
  open(bytes: Buffer, start: number, end: number): this {
    this.bytes = bytes
    this.#start = start
    this.#end = end
    this.#at = start
    this.#expect(HEAD)
    this.left = this.#head(4)
    if (this.left > MAX_ENTRIES) breakRule('tree-entries', `a node has ${this.left} entries`)
    // The last field says what comes first.
    const isNull = bytes[end - 1] === NULL && bytes[end - 2] === L[1] && bytes[end - 3] === L[0]
    const entries = this.#at
    this.#tail = this.#at = isNull ? end - L.length - 1 : end - L.length - LINK.length - CID_BYTES
    if (this.#tail < entries) this.#fail()
    this.#expect(L)
    this.first = isNull ? -1 : this.#link()
    this.#at = entries
    if (this.left === 0) this.#close()
    return this
  }

  /** Reads the next entry. @throws {BrokenRuleError} as {@link open}. */
  next(): void {
    this.left--
    this.#expect(K)
    const size = this.#head(2)
    this.suffixStart = this.#at
    this.suffixEnd = this.#at += size
    this.#expect(P)
    this.prefix = this.#head(0)
    this.#expect(T)
    this.subtree = -1
    if (this.bytes[this.#at] === NULL) this.#at++
    else this.subtree = this.#link()
    this.#expect(V)
    this.value = this.#link()
    if (this.left === 0) this.#close()
  }

  #close(): void {
    if (this.#at !== this.#tail) this.#fail()
  }

  #link(): number {
    this.#expect(LINK)
    const at = this.#at
    if (!isSha256Cid(this.bytes, at)) this.#fail()
    this.#at += CID_BYTES
    if (this.#at > this.#end) this.#fail()
    return at
  }

  #expect(form: Buffer): void {
    const { bytes } = this
    for (let index = 0; index < form.length; index++) if (bytes[this.#at + index] !== form[index]) this.#fail()
    this.#at += form.length
    if (this.#at > this.#end) this.#fail()
  }

  /** The number in the head of an item; no number in a node has more than two bytes. */
  #head(major: number): number {
    const { bytes } = this
    const first = bytes[this.#at++]! - (major << 5)
    let value = first
    if (first === 24) {
      value = bytes[this.#at++]!
      if (value < 24) this.#fail()
    } else if (first === 25) {
      value = (bytes[this.#at]! << 8) | bytes[this.#at + 1]!
      this.#at += 2
      if (value < 0x100) this.#fail()
    } else if (!(first >= 0 && first < 24)) this.#fail()
    return this.#at <= this.#end ? value : this.#fail()
  }

  /** Bytes that are not in the form of DAG-CBOR are the deeper reason. */
  #fail(): never {
    decodeCbor(this.bytes.subarray(this.#start, this.#end))
    return breakRule('tree-node', 'a node is not one')
  }
}
