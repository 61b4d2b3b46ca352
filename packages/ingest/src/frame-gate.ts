import type { Conversion } from './conversion.ts'

/** Where frames wait for what is not known yet; see `SignatureGate`, which is one. */
export interface FrameGate<E> extends Disposable {
  /** The lowest number that is not durable, these left out; undefined when there is none. */
  firstBeyond(seqs: ReadonlySet<number>): number | undefined
  readonly size: number
  readonly isBusy: boolean
  readonly isReady: boolean
  admit(seq: number, conversion: Conversion<E>, bytes: number): void
  take(): { seq: number; conversion: Conversion<E> }[]
  wait(): Promise<void>
  done(seqs: readonly number[]): void
}
