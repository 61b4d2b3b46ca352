import { hash } from 'node:crypto'
import { InvalidEventError, type Logger } from '@millrace/stream-protocol'
import type { Batch } from './batch.ts'
import type { Conversion } from './conversion.ts'
import { decodeFrame, type Frame } from './frame.ts'
import type { FrameGate } from './frame-gate.ts'
import { LogSampler } from './log-sampler.ts'
import { OpenGaps } from './open-gaps.ts'
import { RepeatedFailure } from './repeated-failure.ts'

export interface FrameReaderOptions<E> {
  /** Without scheme. */
  host: string
  stream: string
  /** @param epoch how often the host has lost its sequence numbers */
  convert: (frame: Frame, epoch: number) => Conversion<E>
  logger: Logger
}

/** Where a connection begins. */
export interface ConnectionStart<E> {
  /** The number that it asks to start after. */
  seq: number | undefined
  epoch: number
  gate: FrameGate<E> | undefined
}

/** Up to where everything is appended. */
export interface Appended {
  /** As stored. */
  cursor: string | null
  /** Before the first append, that of the connection's start. */
  seq: number | undefined
}

/** Why a connection is left, and what to do next. */
export type FrameEnd = { next: 'retry'; reason: string; delayMs?: number } | { next: 'halt'; reason: string }

/** The same failure at one place is taken for the host's fault, not the connection's, from this time on (hazard I11). */
const REPEATED = 3

/**
 * Reads the frames of one host into batches: each is converted at its place in the sequence, and what is no frame ends
 * the connection, or is stepped over. It waits for nothing, and appends nothing. What it knows of failures and holes
 * outlasts connections.
 */
export class FrameReader<E> {
  readonly #options: FrameReaderOptions<E>
  readonly #logger: Logger
  readonly #sampler: LogSampler
  readonly #failure = new RepeatedFailure()
  /** They are recorded with the next number, before the cursor passes them. */
  readonly #gaps: OpenGaps
  #epoch = 0
  #gate: FrameGate<E> | undefined
  #seq: number | undefined
  #firstOfConnection = true

  constructor(options: FrameReaderOptions<E>) {
    const { host, stream, logger } = options
    this.#options = options
    this.#logger = logger
    this.#sampler = new LogSampler(logger)
    this.#gaps = new OpenGaps({ host, stream })
  }

  /** Highest sequence number that was read in this connection, appended or not. */
  get seq(): number | undefined {
    return this.#seq
  }

  begin({ seq, epoch, gate }: ConnectionStart<E>): void {
    this.#seq = seq
    this.#epoch = epoch
    this.#gate = gate
    this.#firstOfConnection = true
  }

  /** Reads one frame into the batch. What it returns ends the connection after the batch is appended. */
  read(bytes: Buffer, batch: Batch<E>, appended: Appended): FrameEnd | undefined {
    batch.frames++
    batch.bytes += bytes.length
    try {
      const frame = decodeFrame(bytes)
      if (frame.type === 'error') return this.#readError(frame, batch)
      if (frame.type === 'info') return this.#readInfo(frame, batch, appended)
      if (frame.type !== 'unknown') return this.#readSequenced(frame, bytes, batch)
      batch.count('ignored', 'unknown-type')
      return undefined
    } catch (error) {
      return this.#readGarbage(bytes, error, batch, appended)
    }
  }

  /** Puts what the gate lets out into a batch. */
  takeSettled(batch: Batch<E>): void {
    for (const { seq, conversion } of this.#gate?.take() ?? []) {
      batch.frames++
      batch.add(seq, conversion)
      this.#warnOf(seq, conversion)
    }
  }

  /** Has a message that was too large to be received count as one that cannot be read. */
  countTooLarge(): void {
    this.#failure.count('frame', this.#seq)
  }

  /** Whether a connection that starts after `seq` is to get past a message that the earlier ones were too small for. */
  stepsOverLarge(seq: number | undefined): boolean {
    return this.#failure.times('frame', seq) === REPEATED - 1
  }

  #readSequenced(frame: Extract<Frame, { seq: number }>, bytes: Buffer, batch: Batch<E>): FrameEnd | undefined {
    const { seq } = frame
    const last = this.#seq
    const first = this.#firstOfConnection
    this.#firstOfConnection = false
    if (last !== undefined && seq <= last) {
      // Some hosts send the event at the cursor again; anything else below it would let the sequence go back (I6).
      if (first && seq === last) {
        batch.count('ignored', 'duplicate')
        return undefined
      }
      batch.count('abandoned')
      this.#logger.warn({ seq, last }, 'the sequence went back: dropping the connection')
      const again = this.#failure.count('sequence', last)
      return again < REPEATED ? { next: 'retry', reason: 'sequence' } : { next: 'halt', reason: 'sequence' }
    }
    const conversion = this.#options.convert(frame, this.#epoch)
    // A kind that belongs to another endpoint is not ours to count in the sequence.
    if (conversion.reason === 'unknown-type') {
      batch.count('ignored', 'unknown-type')
      return undefined
    }
    batch.gaps.push(...this.#gaps.closeAt(seq))
    this.#seq = seq
    if (this.#gate) {
      // It counts in the batch that it will be appended with.
      batch.frames--
      this.#gate.admit(seq, conversion, bytes.length)
      return undefined
    }
    batch.add(seq, conversion)
    this.#warnOf(seq, conversion)
    return undefined
  }

  #warnOf(seq: number, { outcome, reason, error, rejected, dirty }: Conversion<E>): void {
    if (outcome !== 'appended' && outcome !== 'ignored')
      this.#sampler.warn(reason ?? outcome, { seq, did: dirty[0]?.did, error }, `frame is ${outcome}`)
    for (const { reason, did, uri, error } of rejected)
      this.#sampler.warn(reason, { seq, did, uri, error }, 'rejected a part of a frame')
  }

  #readError({ error, message }: Extract<Frame, { type: 'error' }>, batch: Batch<E>): FrameEnd {
    batch.count('ignored', 'error-frame')
    this.#logger.warn({ error, message }, 'the host ends the subscription')
    if (error === 'FutureCursor') return { next: 'halt', reason: 'future-cursor' }
    return { next: 'retry', reason: error === 'ConsumerTooSlow' ? 'consumer-too-slow' : 'error-frame' }
  }

  #readInfo({ name, message }: Extract<Frame, { type: 'info' }>, batch: Batch<E>, { cursor }: Appended): undefined {
    batch.count('ignored', 'info')
    this.#logger.warn({ name, message }, 'the host says')
    if (name !== 'OutdatedCursor') return
    // Not an error, but often the only hint that events are gone (I8).
    this.#gaps.open('outdated-cursor', placeOf(this.#gate ? this.#seq : batch.lastSeq, cursor))
  }

  #readGarbage(bytes: Buffer, error: unknown, batch: Batch<E>, appended: Appended): FrameEnd | undefined {
    // A bug of ours at one frame is treated alike: it must not hold up the host for ever.
    const reason = error instanceof InvalidEventError ? error.reason : 'other'
    const message = error instanceof Error ? error.message : String(error)
    const last = batch.lastSeq ?? appended.seq
    const sha256 = hash('sha256', bytes)
    const again = this.#failure.count('frame', last)
    const fields = { after: last, again, bytes: bytes.length, sha256, ...(reason === 'other' && { err: error }) }
    if (again < REPEATED) {
      batch.count('abandoned')
      this.#logger.warn({ ...fields, reason, error: message }, 'cannot read a frame: dropping the connection')
      return { next: 'retry', reason: 'undecodable' }
    }
    this.#logger.error({ ...fields, reason, error: message }, 'cannot read a frame: stepping over it')
    const place = placeOf(last, appended.cursor)
    batch.addUndecodable(bytes, sha256, { reason, message }, place ?? 'the live end')
    this.#gaps.open('undecodable', place)
    return undefined
  }
}

/** A place in the sequence, as it is told; that of the cursor where no number was read. */
function placeOf(seq: number | undefined, cursor: string | null): string | undefined {
  return seq === undefined ? (cursor ?? undefined) : String(seq)
}
