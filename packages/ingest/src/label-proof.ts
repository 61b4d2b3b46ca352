import { encode } from '@atproto/lex-cbor'
import type { CborMap, CborValue } from '@millrace/repo-reader'

/** What a label is proven by. */
export interface LabelProof {
  /** What was signed. */
  bytes: Uint8Array
  /** Undefined when the label came without a signature; whatever else stands in its place is a bad one. */
  sig: CborValue | undefined
}

const signedFields = ['ver', 'src', 'uri', 'cid', 'val', 'neg', 'cts', 'exp'] as const

/**
 * Reads the proof of a label (hazard L6): signed are exactly the fields that it has, `neg: false` and `ver` among them,
 * without `sig`, `$type` and whatever the lexicon does not know, in the one form that DAG-CBOR has for them.
 */
export function proofOf(label: CborMap): LabelProof {
  const fields = signedFields.filter((field) => Object.hasOwn(label, field))
  const signed = Object.fromEntries(fields.map((field) => [field, label[field]])) as Parameters<typeof encode>[0]
  return { bytes: encode(signed), sig: label['sig'] }
}
