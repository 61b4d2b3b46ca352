import type { DeadLetter, DirtyMark, HostGap } from '@millrace/stream-protocol'
import { skipReason, type Conversion, type Outcome, type Rejected } from './conversion.ts'

/** What has been read since the last append: goes into the ledger and the stream together. */
export class Batch<E> {
  readonly #host: string
  readonly #stream: string
  readonly events: E[] = []
  readonly outcomes = new Map<Outcome, number>()
  readonly skipped = new Map<string, number>()
  readonly deadLetters: DeadLetter[] = []
  readonly dirty: DirtyMark[] = []
  readonly gaps: HostGap[] = []
  /** Places in the sequence of the frames in it. */
  readonly seqs: number[] = []
  frames = 0
  bytes = 0
  /** The cursor that appending it leads to; undefined when nothing in it has a place in the sequence. */
  lastSeq: number | undefined
  lastTime: string | undefined
  /** Dead letters by the frame that they are from. */
  readonly #letters = new Map<number, number>()

  constructor(host: string, stream: string) {
    this.#host = host
    this.#stream = stream
  }

  count(outcome: Outcome, reason?: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
    if (reason !== undefined) this.skip(reason)
  }

  skip(reason: string): void {
    const word = skipReason(reason)
    this.skipped.set(word, (this.skipped.get(word) ?? 0) + 1)
  }

  add(seq: number, conversion: Conversion<E>): void {
    for (const event of conversion.events) this.events.push(event)
    for (const mark of conversion.dirty) this.dirty.push(mark)
    for (const rejected of conversion.rejected) this.#keep(seq, rejected)
    if (conversion.gap) {
      const reason = conversion.reason ?? 'other'
      this.gaps.push({ host: this.#host, stream: this.#stream, reason, fromSeq: String(seq - 1), toSeq: String(seq) })
    }
    this.count(conversion.outcome, conversion.reason)
    this.seqs.push(seq)
    this.lastSeq = seq
    this.lastTime = conversion.time ?? this.lastTime
  }

  /** Takes events out again, each with the reason why it is not used and the number of its frame. */
  withdraw(rejected: ReadonlyMap<E, Rejected & { seq: number }>): void {
    if (rejected.size === 0) return
    const kept = this.events.filter((event) => !rejected.has(event))
    this.events.splice(0, this.events.length, ...kept)
    for (const { seq, ...rest } of rejected.values()) this.#keep(seq, rest)
  }

  /** Numbers count by host, and one frame may lose several parts that are about the same subject. */
  #keep(seq: number, { payload, ...rejected }: Rejected): void {
    const before = this.#letters.get(seq) ?? 0
    this.#letters.set(seq, before + 1)
    this.deadLetters.push({
      ...rejected,
      stream: this.#stream,
      entryId: `${seq}${before > 0 ? `.${before}` : ''} at ${this.#host}`,
      host: this.#host,
      payload: payload.slice(0, 65_536),
    })
    this.skip(rejected.reason)
  }

  /** Keeps a frame that cannot be read: its hash and its beginning. */
  addUndecodable(bytes: Buffer, sha256: string, error: { reason: string; message: string }, after: string): void {
    const { reason, message } = error
    this.deadLetters.push({
      stream: this.#stream,
      entryId: `after ${after} at ${this.#host}`,
      reason,
      error: `${message} (${bytes.length} bytes, sha256 ${sha256})`,
      host: this.#host,
      // 48 KiB are 64 KiB in base64.
      payload: bytes.subarray(0, 48 * 1024).toString('base64'),
    })
    this.count('undecodable', reason)
  }
}
