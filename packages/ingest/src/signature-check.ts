/** A signature, and what it is to be compared with. */
export interface SignatureCheck {
  didKey: string
  /** What was signed. */
  bytes: Uint8Array
  sig: Uint8Array
}

/** Checks as they go to another thread: few objects, whatever their number. */
export interface PackedChecks {
  didKeys: string[]
  /** Signed bytes and signature of each, one after the other. */
  content: Uint8Array<ArrayBuffer>
  /** For each where its signature begins, and where that ends. */
  ends: number[]
}

export function packChecks(checks: readonly SignatureCheck[]): PackedChecks {
  const size = checks.reduce((sum, { bytes, sig }) => sum + bytes.length + sig.length, 0)
  const content = new Uint8Array(size)
  const ends: number[] = []
  let at = 0
  for (const { bytes, sig } of checks) {
    for (const part of [bytes, sig]) {
      content.set(part, at)
      at += part.length
      ends.push(at)
    }
  }
  return { didKeys: checks.map(({ didKey }) => didKey), content, ends }
}
