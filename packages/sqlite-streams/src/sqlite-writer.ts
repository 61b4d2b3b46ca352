import {
  CursorConflictError,
  sleep,
  type AppendOptions,
  type Codec,
  type CursorMove,
  type EventSink,
  type Logger,
  type Meter,
  type WriterOptions,
} from '@millrace/stream-protocol'
import { waterMarks, WriterMetrics, type WaterMarks } from '@millrace/stream-protocol/store-kit'
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
  | { type: 'full'; held: Held }

/** What a stream holds. The memory of the file's host is not ours to count. */
type Held = Pick<WaterMarks, 'entries' | 'bytes'>

/**
 * Appends events to a stream in the file, one entry each, and moves a cursor with them, in one transaction that is on
 * the disk when `append` resolves.
 */
export class SqliteStreamWriter<T> implements EventSink<T> {
  readonly stream: string
  readonly #file: StreamFile
  readonly #codec: Codec<T>
  readonly #marks: { high: Held; low: Held }
  readonly #checkMs: number
  readonly #logger: Logger
  readonly #metrics: WriterMetrics

  constructor(file: StreamFile, { stream, codec, checkMs = 5_000, ...marks }: WriterOptions<T>, meter: Meter) {
    this.stream = stream
    this.#file = file
    this.#codec = codec
    this.#marks = waterMarks(marks)
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
          await this.#waitBelowMark(outcome.held, signal)
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
      const held = this.#held(stream)
      if (isAbove(held, this.#marks.high)) return { type: 'full', held }
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
    connection.run(
      'update stream set length = length + :count, appended = appended + :count, bytes = bytes + :bytes where id = :stream',
      { count: texts.length, bytes: texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0), stream },
    )
    if (cursor) writeCursor(connection, cursor.key, cursor.to)
    return { type: 'appended' }
  }

  #held(stream: number): Held {
    const row = this.#file.appends.get('select length, bytes from stream where id = ?', stream)
    return { entries: Number(row?.['length']), bytes: Number(row?.['bytes']) }
  }

  async #waitBelowMark(held: Held, signal: AbortSignal | undefined): Promise<void> {
    using _ = this.#metrics.waiting()
    this.#logger.info({ held, marks: this.#marks.high }, 'stream is at its high water mark: waiting')
    do {
      await sleep(this.#checkMs, signal)
      signal?.throwIfAborted()
    } while (isAbove(this.#held(this.#file.findStream(this.stream)!), this.#marks.low))
  }
}

function isAbove(held: Held, mark: Held): boolean {
  return held.entries > 0 && (held.entries >= mark.entries || held.bytes >= mark.bytes)
}
