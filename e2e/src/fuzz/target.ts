import type { Random } from '@millrace/dev-network'

/** What became of an input: either is well, as long as it is the right one. */
export type Verdict = 'accepted' | 'refused'

/** Something that reads bytes of strangers. */
export interface FuzzTarget {
  readonly name: string
  /** Another input; the same for the same random numbers. */
  make(random: Random): Buffer | Promise<Buffer>
  /** Reads it, and compares what came out with what others say. Throws when something is wrong with the reader. */
  run(input: Buffer): Verdict | Promise<Verdict>
}

/** Something is wrong with a reader, not with what it read. */
export class FuzzError extends Error {
  override readonly name = 'FuzzError'
}
