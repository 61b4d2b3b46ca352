import { decodeCbor, decodeFirst, isMap } from './cbor.ts'
import { breakRule } from './errors.ts'
import { Link } from './link.ts'

/** The fields of a signed commit that are used. What they say is not compared with anything. */
export interface SignedCommit {
  did: string
  rev: string
  /** Root of the repo's tree. */
  data: Link
  sig: Uint8Array
}

/**
 * Reads the block of a signed commit of version 3.
 * @throws {InvalidEventError} `bad-commit`, or what {@link decodeCbor} throws.
 */
export function readCommit(block: Uint8Array): SignedCommit {
  const commit = decodeCbor(block)
  if (!isMap(commit)) return breakRule('commit-fields', 'it is not one')
  const { version, did, rev, data, sig } = commit
  if (version !== 3) return breakRule('commit-version', 'its version is not 3')
  if (typeof did !== 'string' || typeof rev !== 'string')
    return breakRule('commit-fields', 'it has no account or no revision')
  if (!(data instanceof Link)) return breakRule('commit-fields', 'it has no tree')
  if (!(sig instanceof Uint8Array)) return breakRule('commit-fields', 'it is not signed')
  return { did, rev, data, sig }
}

/**
 * The bytes that were signed: the block of a commit without its `sig`, every other field as it is, known or not. As the
 * block is in the one form that DAG-CBOR has for it, so is what is left.
 * @throws {InvalidEventError} what {@link decodeCbor} throws.
 */
export function unsignedCommit(block: Uint8Array): Uint8Array {
  const commit = decodeCbor(block)
  // The head of a map of up to 23 fields is one byte.
  const fields = isMap(commit) ? Object.keys(commit).length : 0
  if (fields === 0 || fields > 23) return breakRule('commit-fields', 'it has none, or too many fields')
  const parts: Uint8Array[] = []
  let at = 1
  while (at < block.length) {
    const [key, valueAt] = decodeFirst(block, at)
    const [, end] = decodeFirst(block, valueAt)
    if (key !== 'sig') parts.push(block.subarray(at, end))
    at = end
  }
  return Buffer.concat([Buffer.from([0xa0 | parts.length]), ...parts])
}
