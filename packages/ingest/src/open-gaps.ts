import type { HostGap } from '@millrace/stream-protocol'

/** Holes in what a host sends whose end is not known yet: it is the next number in its sequence. */
export class OpenGaps {
  readonly #of: Pick<HostGap, 'host' | 'stream'>
  #gaps: HostGap[] = []

  constructor(of: Pick<HostGap, 'host' | 'stream'>) {
    this.#of = of
  }

  /** One that is met again, by the next connection, is still the same. */
  open(reason: string, fromSeq: string | undefined): void {
    if (this.#gaps.some((gap) => gap.reason === reason && gap.fromSeq === fromSeq)) return
    this.#gaps.push({ ...this.#of, reason, fromSeq })
  }

  /** Ends all of them. @returns what is to be recorded before the cursor passes this number. */
  closeAt(seq: number): HostGap[] {
    const closed = this.#gaps.map((gap) => ({ ...gap, toSeq: String(seq) }))
    this.#gaps = []
    return closed
  }
}
