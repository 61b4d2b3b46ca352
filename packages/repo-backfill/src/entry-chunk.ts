/** A record that is in the repo, and in no event. */
export interface LeftOutRecord {
  uri: string
  cid: string
  /** Why, in a word, and in a sentence. */
  reason: string
  error: string
}

/** Some entries of a stream, as bytes: what goes from one thread to another without being copied. */
export interface EntryChunk {
  /** Their JSON, one after the other, in memory of its own. */
  bytes: Uint8Array<ArrayBuffer>
  /** Where each ends. */
  ends: Uint32Array<ArrayBuffer>
  /** How many of them carry a record. */
  records: number
  leftOut: LeftOutRecord[]
  /** True for the entry that closes the repo, which comes alone. */
  isLast: boolean
}

/** The entries of a chunk as a stream takes them. */
export function textsOf({ bytes, ends }: EntryChunk): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts: string[] = []
  let start = 0
  for (const end of ends) {
    texts.push(buffer.toString('utf8', start, end))
    start = end
  }
  return texts
}
