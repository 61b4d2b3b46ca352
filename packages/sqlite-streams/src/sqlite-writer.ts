import {
  CursorConflictError,
  DEFAULT_HIGH_WATER_MARK,
  sleep,
  type AppendOptions,
  type Codec,
  type CursorMove,
  type EventSink,
  type Logger,
  type Meter,
  type WriterOptions,
} from '@millrace/stream-protocol'
import { WriterMetrics } from '@millrace/stream-protocol/store-kit'
import { readCursor, writeCursor } from './cursors.ts'
import { nextSeq } from './entry-id.ts'
import type { StreamFile } from './stream-file.ts'
import { streamRow } from './tables.ts'
import { wakeReaders } from './wake-ups.ts'

/** What one append came to. */
type Outcome =
  | { type: 'appended' }
  | { type: 'already' }
  | { type: 'conflict'; stored: string | null }
  | { type: 'full'; length: number }

/**
 * Appends events to a stream in the file, one entry each, and moves a cursor with them, in one transaction that is on
 * the disk when `append` resolves.
 */
export class SqliteStreamWriter<T> implements EventSink<T> {
  readonly stream: string
  readonly #file: StreamFile
  readonly #codec: Codec<T>
  readonly #highWaterMark: number
  readonly #checkMs: number
  readonly #logger: Logger
  readonly #metrics: WriterMetrics

  constructor(
    file: StreamFile,
    { stream, codec, highWaterMark = DEFAULT_HIGH_WATER_MARK, checkMs = 5_000 }: WriterOptions<T>,
    meter: Meter,
  ) {
    this.stream = stream
    this.#file = file
    this.#codec = codec
    this.#highWaterMark = highWaterMark
    this.#checkMs = checkMs
    this.#logger = file.logger.child({ stream })
    this.#metrics = new WriterMetrics(meter, stream)
  }

  async append(events: readonly T[], { cursor, signal }: AppendOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    if (events.length === 0 && !cursor) return
    const texts = events.map((event) => this.#codec.encode(event))
    while (true) {
      const outcome = await this.#file.appends.transact(() => this.#append(texts, cursor), {
        logger: this.#logger,
        signal,
        onRetry: () => this.#metrics.retried(),
      })
      switch (outcome.type) {
        case 'appended':
          this.#metrics.appended(texts.length)
          wakeReaders(this.#file.path, this.stream)
          return
        case 'already':
          return
        case 'conflict':
          this.#metrics.conflicted()
          throw new CursorConflictError(cursor!.key, cursor!.from, outcome.stored)
        case 'full':
          await this.#waitBelowMark(outcome.length, signal)
      }
    }
  }

  #append(texts: readonly string[], cursor: CursorMove | undefined): Outcome {
    const connection = this.#file.appends
    if (cursor) {
      const stored = readCursor(connection, cursor.key)
      if (stored !== cursor.from) return stored === cursor.to ? { type: 'already' } : { type: 'conflict', stored }
    }
    const stream = streamRow(connection, this.stream)
    if (texts.length > 0) {
      const length = this.#length(stream)
      if (length >= this.#highWaterMark) return { type: 'full', length }
    }
    let last = Number(connection.get('select seq from last_seq')?.['seq'])
    const now = Date.now()
    for (const text of texts) {
      last = nextSeq(last, now)
      connection.run(
        'insert into entry (seq, stream, field, text) values (?, ?, ?, ?)',
        last,
        stream,
        this.#codec.field,
        text,
      )
    }
    connection.run('update last_seq set seq = ?', last)
    connection.run('update stream set length = length + ? where id = ?', texts.length, stream)
    if (cursor) writeCursor(connection, cursor.key, cursor.to)
    return { type: 'appended' }
  }

  #length(stream: number): number {
    return Number(this.#file.appends.get('select length from stream where id = ?', stream)?.['length'])
  }

  async #waitBelowMark(length: number, signal: AbortSignal | undefined): Promise<void> {
    using _ = this.#metrics.waiting()
    const highWaterMark = this.#highWaterMark
    this.#logger.info({ length, highWaterMark }, 'stream is at its high water mark: waiting')
    do {
      await sleep(this.#checkMs, signal)
      signal?.throwIfAborted()
    } while (this.#length(this.#file.findStream(this.stream)!) >= highWaterMark)
  }
}
